// C = op(A) op(B) [+ bias] [then ReLU] of f32 on tensor cores: factors are rounded to tf32 (10 bits of mantissa) as
// they are read from shared memory, sums are f32. Used only where it is asked for (--tf32).
//
// Threads and tiles are those of gemm_bf16.cu, 32 deep. ldmatrix cannot transpose 32-bit elements: operands that run
// along M or N are read word by word, by a swizzle of their own.
// Registers by nvcc 13.0: at most 210 at 128 x 128 and 102 at 64 x 64, on sm_90 and sm_80; no spills.
// Bound: arithmetic; 2 m n k FLOPs at the rate of mma.sync.

#include "cuda/kernels/device/gemm_mma.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

void gemm_tf32(const Stream& stream, const GemmProblem& problem, const TilePlan& plan, const GemmArguments& arguments) {
  gemm_mma<float>(stream, "gemm_tf32", problem, plan, arguments);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
