#pragma once

// CUDA C++ as plain C++20: the qualifiers, types and intrinsics that graft's kernels use, with CUDA's names and
// meaning. A kernel is an ordinary function here; cuda/emulator/scheduler.h runs it once for each thread of the grid.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "cuda/emulator/async_copy.h"
#include "cuda/emulator/scheduler.h"

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): these are CUDA's names, not ours.

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __grid_constant__
/// Shared memory of the block: one block at a time runs on a host thread, and no other host thread sees it.
#define __shared__ static thread_local

namespace graft::cuda::inline emulated {

inline constexpr int warpSize = 32;

/// Vectors of CUDA's alignment: a load of 16 bytes at an address that is not a multiple of 16 is undefined in CUDA, and
/// the sanitizers report it here.
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }
inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline float __int_as_float(int bits) { return std::bit_cast<float>(bits); }
inline int __float_as_int(float value) { return std::bit_cast<int>(value); }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((static_cast<std::uint64_t>(a) * b) >> 32);
}
inline int __popc(unsigned word) { return std::popcount(word); }
inline int __ffs(int word) { return __builtin_ffs(word); }
inline int __clz(int word) { return word == 0 ? 32 : __builtin_clz(static_cast<unsigned>(word)); }
using std::fmaf;
using std::isnan;
template <class T>
T __ldg(const T* address) {
  return *address;
}
template <class T>
T min(T a, T b) {
  return b < a ? b : a;
}
template <class T>
T max(T a, T b) {
  return a < b ? b : a;
}

// Each takes the place of its call as a last argument that kernels leave out.
__forceinline__ void __syncthreads(emulator::CallSite site = emulator::CallSite::here()) {
  emulator::block_barrier(site);
}

// Warp primitives over all 32 lanes; a kernel that names fewer is told so.
__forceinline__ void __syncwarp(unsigned mask = 0xffffffffu, emulator::CallSite site = emulator::CallSite::here()) {
  emulator::warp_barrier(mask, site);
}

/// The value of lane `lane`.
template <class T>
__forceinline__ T __shfl_sync(unsigned mask, T value, int lane, emulator::CallSite site = emulator::CallSite::here()) {
  return emulator::warp_shuffle(mask, value, lane & 31, site);
}
template <class T>
__forceinline__ T __shfl_xor_sync(unsigned mask, T value, int lane_mask,
                                  emulator::CallSite site = emulator::CallSite::here()) {
  return emulator::warp_shuffle(mask, value, emulator::lane() ^ (lane_mask & 31), site);
}
/// Lane i takes the value of lane i + delta; the last `delta` lanes keep their own.
template <class T>
__forceinline__ T __shfl_down_sync(unsigned mask, T value, unsigned delta,
                                   emulator::CallSite site = emulator::CallSite::here()) {
  const int source = emulator::lane() + static_cast<int>(delta);
  return emulator::warp_shuffle(mask, value, source < warpSize ? source : emulator::lane(), site);
}
template <class T>
__forceinline__ T __shfl_up_sync(unsigned mask, T value, unsigned delta,
                                 emulator::CallSite site = emulator::CallSite::here()) {
  const int source = emulator::lane() - static_cast<int>(delta);
  return emulator::warp_shuffle(mask, value, source >= 0 ? source : emulator::lane(), site);
}
__forceinline__ unsigned __ballot_sync(unsigned mask, int predicate,
                                       emulator::CallSite site = emulator::CallSite::here()) {
  return emulator::warp_ballot(mask, predicate != 0, site);
}
__forceinline__ int __any_sync(unsigned mask, int predicate, emulator::CallSite site = emulator::CallSite::here()) {
  return emulator::warp_ballot(mask, predicate != 0, site) != 0;
}
__forceinline__ int __all_sync(unsigned mask, int predicate, emulator::CallSite site = emulator::CallSite::here()) {
  return emulator::warp_ballot(mask, predicate != 0, site) == 0xffffffffu;
}

// Atomics. Threads run one after another, so a plain read, change and write is atomic; the checked build is told that
// it does not race. There are none on floats: their sums would depend on the order.
template <class T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>, "no float atomics: their sums depend on the order of threads");
  return emulator::atomic_update(address, [value](T old) { return static_cast<T>(old + value); });
}
template <class T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>);
  return emulator::atomic_update(address, [value](T old) { return old < value ? value : old; });
}
inline void __threadfence() {}

}  // namespace graft::cuda::inline emulated

// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
