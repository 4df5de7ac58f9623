// C = op(A) op(B) [+ bias] [then ReLU] of bf16 on tensor cores, summed in f32.
//
// A block of four warps computes a tile of C of 128 x 128 (or 64 x 64 where C is small), 64 deep at a time; each warp
// holds a quarter of it, 64 x 64, in registers. cp.async keeps two depths on their way while a third is multiplied;
// tiles lie swizzled in shared memory (device/shared_tile.cuh), so that neither the copies nor ldmatrix ever meet in a
// bank. All four layouts have their kernels: what runs along K is read by ldmatrix, what runs along M or N by
// ldmatrix.trans. Rows that are no multiples of 16 bytes go through registers, element by element, in one kernel.
// Registers by nvcc 13.0: at most 224 on sm_90 and 228 on sm_80 at 128 x 128, so two blocks a multiprocessor where 192
// KiB of shared memory fit, and 104 at 64 x 64; no spills.
// Bound: arithmetic; 2 m n k FLOPs at the rate of mma.sync.

#include "cuda/kernels/device/gemm_mma.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

void gemm_bf16(const Stream& stream, const GemmProblem& problem, const TilePlan& plan, const GemmArguments& arguments) {
  gemm_mma<bf16>(stream, "gemm_bf16", problem, plan, arguments);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
