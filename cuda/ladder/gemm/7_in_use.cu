// Step 7, the kernel in use (cuda/kernels/gemm_bf16.cu): a pipeline. cp.async copies 16 bytes at a time from global to
// shared memory by itself, past the registers, and three stages let two depths be on their way while a third is
// multiplied; one barrier a depth says both that the next stage is whole and that the last one may be overwritten. The
// swizzle of device/shared_tile.cuh, which step 6 had for its reads, now pays for the copies too: neither meets a bank
// conflict. B, whose rows run along N, stays as it lies in memory: ldmatrix.trans transposes as it reads. C leaves by
// way of shared memory in rows of 16-byte stores, and neighbouring blocks share bands of A and B in the L2 cache.
//
// Bound: arithmetic at the rate of mma.sync.

#include "cuda/kernels/gemm_launch.h"
#include "cuda/ladder/gemm/ladder.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

void gemm_ladder_in_use(const Stream& stream, const GemmLadderExtents& extents, const void* a, const void* b, void* c) {
  constexpr int kDepth = 64;
  const TilePlan plan{.tile = kGemmMmaTiles[0], .splits = 1, .depths_a_split = (extents.k + kDepth - 1) / kDepth};
  gemm_bf16(stream, {.m = extents.m, .n = extents.n, .k = extents.k, .input = DType::bf16, .output = DType::bf16}, plan,
            {.a = a, .b = b, .bias = nullptr, .c = c});
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
