#pragma once

#include <cstdint>

#include "cuda/device.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// bfloat16 in device memory: the upper half of an IEEE f32. Arithmetic is done in f32.
struct bf16 {
  std::uint16_t bits;
};

__device__ __forceinline__ float to_float(float value) { return value; }
__device__ __forceinline__ float to_float(bf16 value) {
  return __uint_as_float(static_cast<unsigned>(value.bits) << 16);
}

template <class T>
__device__ __forceinline__ T from_float(float value);
template <>
__device__ __forceinline__ float from_float<float>(float value) {
  return value;
}
/// Rounds to nearest even and keeps NaN, as engine/base/dtype.h does.
template <>
__device__ __forceinline__ bf16 from_float<bf16>(float value) {
  const unsigned raw = __float_as_uint(value);
  const unsigned rounded = (raw + 0x7fffu + ((raw >> 16) & 1u)) >> 16;
  const unsigned quiet_nan = (raw >> 16) | 0x40u;
  return {static_cast<std::uint16_t>((raw & 0x7fffffffu) > 0x7f800000u ? quiet_nan : rounded)};
}

/// Two of them in one word, `low` in its lower half; rounded as from_float does, up to the bits of a NaN.
__device__ __forceinline__ unsigned pack_bf16(float low, float high) {
#ifdef GRAFT_CUDA_EMULATED
  return from_float<bf16>(low).bits | static_cast<unsigned>(from_float<bf16>(high).bits) << 16;
#else
  unsigned packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
#endif
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
