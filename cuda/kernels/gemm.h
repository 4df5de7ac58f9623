#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// C = op(A) op(B) [+ bias] [then ReLU]; contract as in engine/backend/gemm.h, matrices dense and row-major.
struct GemmProblem {
  std::int64_t batch = 1;
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  bool transpose_a = false;  ///< a is [k, m], else [m, k]
  bool transpose_b = false;  ///< b is [n, k], else [k, n]
  bool relu = false;
  DType input = DType::f32;   ///< of a and b: f32 or bf16
  DType output = DType::f32;  ///< of c: the input's or f32
  bool tf32 = false;          ///< f32 inputs may be rounded to tf32 and multiplied on tensor cores
};

/// Bytes of scratch that gemm needs: partial sums where K is split because C alone has too few tiles for the device.
std::size_t gemm_scratch_bytes(const Device& device, const GemmProblem& problem);

/// `bias` f32 [n] or null. m, n and k are below 2^31.
void gemm(const Stream& stream, const GemmProblem& problem, const void* a, const void* b, const float* bias,
          void* scratch, void* c);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
