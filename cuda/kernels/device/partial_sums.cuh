#pragma once

#include <cstdint>

#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/warp.cuh"
#include "cuda/runtime/launch.cuh"

// Sums that several blocks form: each block leaves its part in scratch, a second kernel adds the parts in an order that
// depends on their number alone.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// y[i] = partial[0][i] + partial[1][i] + ... A block takes 32 neighbouring i; warp r of kRanges adds the parts r,
/// r + kRanges, ..., and the first warp adds the warps' sums: so many loads are in flight where there are few i.
/// Bound: memory; partials * count * 4 bytes, mostly out of the L2 cache.
inline constexpr int kRanges = 8;

inline __global__ void __launch_bounds__(kRanges* kWarpThreads)
    sum_partials_kernel(const float* partial, std::int64_t partials, std::int64_t count, float* y) {
  __shared__ float of_range[kRanges][kWarpThreads];
  const std::int64_t i = std::int64_t{blockIdx.x} * kWarpThreads + lane_index();
  float sum = 0.0f;
  if (i < count) {
#pragma unroll 4
    for (std::int64_t p = warp_index(); p < partials; p += kRanges) sum += partial[p * count + i];
  }
  of_range[warp_index()][lane_index()] = sum;
  __syncthreads();
  if (warp_index() != 0 || i >= count) return;
#pragma unroll
  for (int range = 1; range < kRanges; ++range) sum += of_range[range][lane_index()];
  y[i] = sum;
}

/// y [count] from partial [partials, count], f32.
inline void sum_partials(const Stream& stream, const char* name, const float* partial, std::int64_t partials,
                         std::int64_t count, float* y) {
  launch(stream, {.kernel = name, .grid = blocks_for(divide_up(count, kWarpThreads)), .block = kRanges * kWarpThreads},
         sum_partials_kernel, partial, partials, count, y);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
