#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/device.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Threads a block of the kernels that are bound by memory: eight such blocks fill a multiprocessor.
inline constexpr int kBlockThreads = 256;

/// ceil(a / b) for a >= 0, b > 0.
__host__ __device__ constexpr std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Blocks for `count` tiles, one each; kernels stride over what exceeds a grid.
inline dim3 blocks_for(std::int64_t count) {
  constexpr std::int64_t kMost = 0x7fffffff;
  return {static_cast<unsigned>(std::min(count, kMost)), 1, 1};
}

/// Visits 0 .. count - 1 by a one-dimensional grid of kBlockThreads a block: a block takes kUnroll * kBlockThreads
/// neighbouring items, a thread every kBlockThreads-th of those. use(i, load(i)) is called for each item, all kUnroll
/// loads before the first use, so that a thread has so many in flight. Launch it with unrolled_grid.
template <int kUnroll, class Load, class Use>
__device__ __forceinline__ void for_each_unrolled(std::int64_t count, const Load& load, const Use& use) {
  constexpr std::int64_t kTile = std::int64_t{kUnroll} * kBlockThreads;
  const std::int64_t stride = kTile * gridDim.x;
  for (std::int64_t first = kTile * blockIdx.x + threadIdx.x; first < count; first += stride) {
    decltype(load(first)) loaded[kUnroll] = {};
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      if (first + u * kBlockThreads < count) loaded[u] = load(first + u * kBlockThreads);
    }
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      if (first + u * kBlockThreads < count) use(first + u * kBlockThreads, loaded[u]);
    }
  }
}

inline dim3 unrolled_grid(std::int64_t count, int unroll) {
  return blocks_for(divide_up(count, std::int64_t{unroll} * kBlockThreads));
}

/// body(i) for the elements [vectors * vector, count) that no whole vector covers, one a thread of the first block.
template <class Body>
__device__ __forceinline__ void for_tail(std::int64_t count, int vector, const Body& body) {
  const std::int64_t i = count / vector * vector + threadIdx.x;
  if (blockIdx.x == 0 && i < count) body(i);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
