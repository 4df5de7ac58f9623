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

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
