#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "cuda/kernels/conv_problem.h"
#include "cuda/kernels/gemm.h"
#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Matrix products by a library, for one backend: its own handle and workspace on the backend's stream. The same bits
/// every time on one device model and library version.
class GemmLibrary {
 public:
  virtual ~GemmLibrary() = default;
  /// "cuBLAS 13.1.0"
  virtual std::string name() const = 0;
  /// Of its own, beside its workspace.
  virtual std::size_t scratch_bytes(const GemmProblem& problem) const = 0;
  /// As cuda::gemm.
  virtual void gemm(const GemmProblem& problem, const void* a, const void* b, const float* bias, void* scratch,
                    void* c) = 0;
};

/// The three products of a convolution.
enum class ConvPass { forward, backward_data, backward_weights };

/// Convolutions by a library, likewise. What it does not support (answered by a fixed rule of shape, dtype, device and
/// library version) is left to the native kernels.
class ConvLibrary {
 public:
  virtual ~ConvLibrary() = default;
  virtual std::string name() const = 0;
  /// True iff run() can be called for it. `dtype` is that of x, w and y; the weights' gradient is f32.
  virtual bool supports(ConvPass pass, const ConvProblem& problem, DType dtype) = 0;
  virtual std::size_t scratch_bytes(ConvPass pass, const ConvProblem& problem, DType dtype) = 0;
  /// `x`, `w` and `y` are the images, weights and outputs or their gradients; which one is written follows from the
  /// pass. All must be aligned to kAlignment.
  virtual void run(ConvPass pass, const ConvProblem& problem, DType dtype, const void* x, const void* w, const void* y,
                   void* scratch) = 0;

  static constexpr std::size_t kAlignment = 16;
};

/// By cuBLAS. Throws Error(device) where the library is not on the machine or does not start.
std::unique_ptr<GemmLibrary> make_cublas_gemm(const Stream& stream);
/// By cuDNN 9. `tf32`: f32 convolutions may use tensor cores.
std::unique_ptr<ConvLibrary> make_cudnn_conv(const Stream& stream, bool tf32);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
