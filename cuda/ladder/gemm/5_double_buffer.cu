// Step 5, the f32 kernel in use (cuda/kernels/gemm_f32.cu): accesses of 16 bytes and two buffers. A thread's 8 x 8
// elements become four blocks of 4 x 4, so that all reads of shared memory, and those of global memory, are 16 bytes: a
// quarter of the instructions. The next tiles are loaded into registers before the present ones are multiplied and
// stored to the other buffer afterwards: the latency of global memory passes behind 512 multiply-adds a thread, and one
// barrier a depth is enough.
//
// Bound: arithmetic; 64 multiply-adds a thread for 4 reads of shared memory.

#include "cuda/kernels/gemm_launch.h"
#include "cuda/ladder/gemm/ladder.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

void gemm_ladder_double_buffer(const Stream& stream, const GemmLadderExtents& extents, const void* a, const void* b,
                               void* c) {
  const TilePlan plan{
      .tile = kGemmSimtTiles[0], .splits = 1, .depths_a_split = (extents.k + kGemmSimtDepth - 1) / kGemmSimtDepth};
  gemm_f32(stream, {.m = extents.m, .n = extents.n, .k = extents.k}, plan, {.a = a, .b = b, .bias = nullptr, .c = c});
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
