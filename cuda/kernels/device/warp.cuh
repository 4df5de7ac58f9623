#pragma once

#include "cuda/device.cuh"

// Warp primitives: all 32 lanes take part in each, so every lane of a warp must reach it. Blocks are a multiple of 32
// threads wide in x.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

inline constexpr int kWarpThreads = 32;
inline constexpr unsigned kAllLanes = 0xffffffffu;

__device__ __forceinline__ int lane_index() { return static_cast<int>(threadIdx.x) % kWarpThreads; }
__device__ __forceinline__ int warp_index() { return static_cast<int>(threadIdx.x) / kWarpThreads; }

/// Operations that reductions fold with; commutative to the last bit, so that a butterfly leaves every lane with the
/// same one.
struct Sum {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a + b;
  }
};
/// Of floats: a NaN loses to any number.
struct Maximum {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a < b ? b : a;
  }
  __device__ __forceinline__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

/// The value of lane `lane`.
template <class T>
__device__ __forceinline__ T warp_broadcast(T value, int lane) {
  return __shfl_sync(kAllLanes, value, lane);
}
/// The value of the lane whose index differs from this one's in the bits of `lane_mask`.
template <class T>
__device__ __forceinline__ T warp_exchange(T value, int lane_mask) {
  return __shfl_xor_sync(kAllLanes, value, lane_mask);
}

/// Folds over each aligned group of `kLanes` lanes, a power of two; every lane has its group's result.
template <int kLanes = kWarpThreads, class T, class Operation>
__device__ __forceinline__ T warp_reduce(T value, Operation operation) {
  static_assert(kLanes >= 1 && kLanes <= kWarpThreads && (kLanes & (kLanes - 1)) == 0);
#pragma unroll
  for (int lane_mask = kLanes / 2; lane_mask > 0; lane_mask /= 2)
    value = operation(value, warp_exchange(value, lane_mask));
  return value;
}
template <int kLanes = kWarpThreads, class T>
__device__ __forceinline__ T warp_sum(T value) {
  return warp_reduce<kLanes>(value, Sum{});
}
template <int kLanes = kWarpThreads, class T>
__device__ __forceinline__ T warp_max(T value) {
  return warp_reduce<kLanes>(value, Maximum{});
}

/// True iff the predicate holds in any lane.
__device__ __forceinline__ bool warp_any(bool predicate) { return __any_sync(kAllLanes, predicate ? 1 : 0) != 0; }
/// Bit i: the predicate of lane i.
__device__ __forceinline__ unsigned warp_ballot(bool predicate) { return __ballot_sync(kAllLanes, predicate ? 1 : 0); }

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
