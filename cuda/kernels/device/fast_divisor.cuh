#pragma once

#include <cstdint>

#include "cuda/device.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Division by a number that is known at launch, as a multiplication: exact for dividends in [0, 2^31) and divisors in
/// [1, 2^31) (Granlund and Montgomery 1994: the multiplier is 2^p / divisor rounded up with p = 31 + ceil(log2
/// divisor)).
struct FastDivisor {
  std::uint32_t divisor = 1;
  std::uint32_t multiplier = 0;  ///< 0: the divisor is 1
  std::uint32_t shift = 0;

  FastDivisor() = default;
  explicit FastDivisor(std::int64_t value) : divisor(static_cast<std::uint32_t>(value)) {
    if (divisor <= 1) {
      divisor = 1;
      return;
    }
    std::uint32_t bits = 0;
    while ((std::uint64_t{1} << bits) < divisor) ++bits;
    multiplier = static_cast<std::uint32_t>(((std::uint64_t{1} << (31 + bits)) + divisor - 1) / divisor);
    shift = bits - 1;
  }

  __device__ __forceinline__ int quotient(int dividend) const {
    return multiplier == 0 ? dividend
                           : static_cast<int>(__umulhi(static_cast<unsigned>(dividend), multiplier) >> shift);
  }
  __device__ __forceinline__ int remainder(int dividend, int quotient_of_it) const {
    return dividend - quotient_of_it * static_cast<int>(divisor);
  }
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
