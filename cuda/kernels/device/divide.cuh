#pragma once

#include <cstdint>

#include "cuda/device.cuh"
#include "cuda/kernels/device/fast_divisor.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Division by a number that the host knows, of indices of type Index. For 32 bits a multiplication and a shift, exact
/// for every dividend below 2^31; for 64 bits the division itself, which costs a hundred instructions: kernels index in
/// 32 bits wherever their extents fit.
template <class Index>
struct Divider {
  Index divisor = 1;

  explicit Divider(std::int64_t by) : divisor(static_cast<Index>(by)) {}
  /// Returns n / divisor and leaves n % divisor in n.
  __device__ __forceinline__ Index split(Index& n) const {
    const Index quotient = n / divisor;
    n -= quotient * divisor;
    return quotient;
  }
};

template <>
struct Divider<unsigned> {
  unsigned divisor = 1;
  FastDivisor by;

  explicit Divider(std::int64_t value) : divisor(static_cast<unsigned>(value)), by(value) {}
  __device__ __forceinline__ unsigned split(unsigned& n) const {
    const auto quotient = static_cast<unsigned>(by.quotient(static_cast<int>(n)));
    n -= quotient * divisor;
    return quotient;
  }
};

/// body(unsigned{}) where indices up to `count` fit 31 bits, body(std::uint64_t{}) else.
template <class Body>
void with_index_type(std::int64_t count, const Body& body) {
  if (count < (std::int64_t{1} << 31)) {
    body(unsigned{});
  } else {
    body(std::uint64_t{});
  }
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
