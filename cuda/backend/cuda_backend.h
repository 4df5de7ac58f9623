#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cuda/library/chooser.h"
#include "cuda/library/library.h"
#include "cuda/runtime/memory_pool.h"
#include "cuda/runtime/stream.h"
#include "cuda/runtime/uploader.h"
#include "engine/backend/backend.h"
#include "engine/backend/registry.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// The CUDA backend: one stream of one GPU, or of the emulated one. cuda/backend has its methods, a page of contracts a
/// file: each checks the contract and gives kernels (cuda/kernels) or library calls (cuda/library) to the stream.
class CudaBackend final : public Backend {
 public:
  /// Throws Error(device) where there is no usable GPU.
  explicit CudaBackend(const BackendOptions& options);
  ~CudaBackend() override;

  std::string kind() const override;
  std::string device_kind() const override;
  int threads() const override { return 1; }
  bool supports(DType dtype) const override { return dtype == DType::f32 || dtype == DType::bf16; }
  StoragePtr allocate(std::size_t bytes) override;
  std::size_t bytes_in_use() const override;
  std::size_t bytes_reserved() const override;
  void copy_from_host(const void* source, const Tensor& destination) override;
  void copy_to_host(const Tensor& source, void* destination) override;
  void synchronize() override;
  bool can_capture() const override { return options_.graph; }
  std::unique_ptr<CapturedWork> capture(const std::function<void()>& work) override;
  std::vector<KernelTime> time_kernels(const std::function<void()>& work) override;

  const Stream& stream() const { return stream_; }
  MemoryStatistics memory_statistics() const { return pool_->statistics(); }
  /// True iff f32 convolutions and matrix products may round their factors to tf32 and use tensor cores.
  bool tf32() const { return options_.tf32; }
  /// Scratch of this backend's own, for kernels whose contracts have none: kWorkspaceBytes at a fixed address, used in
  /// the order of the stream and by one kernel call at a time.
  void* workspace() const { return workspace_->data(); }
  static constexpr std::size_t kWorkspaceBytes = std::size_t{4} << 20;

  /// A convolution's tensors as its passes take them: of x, w and y the pass writes one. The epilogue is the forward
  /// pass's.
  struct ConvTensors {
    const void* x = nullptr;
    const void* w = nullptr;
    void* y = nullptr;
    void* scratch = nullptr;
    ConvEpilogue epilogue{};
  };
  /// Computes by `native` or by the library that --gemm or --conv ask for; with auto by the one that is faster for this
  /// shape. `scratch` has what ..._scratch_bytes says, which is at least what `native` needs.
  void multiply(const GemmProblem& problem, const void* a, const void* b, const float* bias, void* scratch, void* c,
                const std::function<void()>& native);
  std::size_t multiply_scratch_bytes(const GemmProblem& problem, std::size_t native) const;
  void convolve(ConvPass pass, const ConvProblem& problem, DType dtype, const ConvTensors& tensors,
                const std::function<void()>& native);
  std::size_t convolve_scratch_bytes(ConvPass pass, const ConvProblem& problem, DType dtype, std::size_t native) const;
  std::map<std::string, std::string> choices() const override;

  // Every kernel of engine/backend.
#include "engine/backend/kernel_overrides.inc"

 private:
  void open_libraries();

  BackendOptions options_;
  Stream stream_;
  std::shared_ptr<MemoryPool> pool_;          ///< of tensors
  std::shared_ptr<MemoryPool> own_memory_;    ///< of the backend itself
  std::shared_ptr<MemoryPool> capture_pool_;  ///< not null while work is being recorded
  StoragePtr workspace_;
  Uploader uploader_;
  std::unique_ptr<GemmLibrary> gemm_library_;
  std::unique_ptr<ConvLibrary> conv_library_;
  Chooser chooser_;
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
