// y[i] = partial[0][i] + partial[1][i] + ..., for few i and many parts: the end of sums that were split between blocks.
//
// Threads: a block takes 32 neighbouring i; warp r of kWarps adds the parts r, r + kWarps, ..., and the first warp adds
// the warps' sums in their order: so several loads are in flight for each i.
// Bound: memory; partials * count * 4 bytes, mostly out of the L2 cache, where they have just been put.

#include "cuda/kernels/partial_sums.h"

#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/warp.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kWarps = 8;

__global__ void __launch_bounds__(kWarps* kWarpThreads)
    sum_partials_kernel(const float* partial, std::int64_t partials, std::int64_t count, float* y) {
  __shared__ float of_warp[kWarps][kWarpThreads];
  const std::int64_t i = std::int64_t{blockIdx.x} * kWarpThreads + lane_index();
  float sum = 0.0f;
  if (i < count) {
#pragma unroll 8
    for (std::int64_t p = warp_index(); p < partials; p += kWarps) sum += partial[p * count + i];
  }
  of_warp[warp_index()][lane_index()] = sum;
  __syncthreads();
  if (warp_index() != 0 || i >= count) return;
#pragma unroll
  for (int warp = 1; warp < kWarps; ++warp) sum += of_warp[warp][lane_index()];
  y[i] = sum;
}

}  // namespace

void sum_partials(const Stream& stream, const char* name, const float* partial, std::int64_t partials,
                  std::int64_t count, float* y) {
  launch(stream, {.kernel = name, .grid = blocks_for(divide_up(count, kWarpThreads)), .block = kWarps * kWarpThreads},
         sum_partials_kernel, partial, partials, count, y);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
