#pragma once

#include "cuda/device.cuh"
#include "cuda/kernels/device/warp.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Folds the values of all threads of a block of kThreads x 1 x 1 threads, in an order that depends on kThreads alone;
/// every thread has the result. `identity` is what the operation leaves other values as they are with. All threads must
/// call it; between calls no barrier is needed.
template <int kThreads, class T, class Operation>
__device__ __forceinline__ T block_reduce(T value, T identity, Operation operation) {
  constexpr int kWarps = kThreads / kWarpThreads;
  static_assert(kThreads % kWarpThreads == 0 && kWarps <= kWarpThreads);
  value = warp_reduce(value, operation);
  if constexpr (kWarps > 1) {
    __shared__ T of_warp[kWarps];
    if (lane_index() == 0) of_warp[warp_index()] = value;
    __syncthreads();
    value = warp_reduce(lane_index() < kWarps ? of_warp[lane_index()] : identity, operation);
    __syncthreads();  // the next call writes here again
  }
  return value;
}

template <int kThreads, class T>
__device__ __forceinline__ T block_sum(T value) {
  return block_reduce<kThreads>(value, T(0), Sum{});
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
