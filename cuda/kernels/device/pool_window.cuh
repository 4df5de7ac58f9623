#pragma once

#include <cstdint>

#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/divide.cuh"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/kernels/pool_shape.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// The windows of one direction that can see a position: [first, last], empty where last < first. With a dilation some
/// between the two may not.
struct WindowRange {
  int first, last;
};

/// A PoolAxis for kernels that go from positions to windows.
struct WindowsOf {
  PoolAxis axis;
  Divider<unsigned> stride;

  explicit WindowsOf(const PoolAxis& axis_) : axis(axis_), stride(axis_.stride) {}

  __device__ __forceinline__ WindowRange operator()(int position) const {
    auto last = static_cast<unsigned>(position + axis.before);
    const int reach = position + axis.before - (axis.kernel - 1) * axis.dilation;
    auto first = static_cast<unsigned>(max(reach, 0)) + static_cast<unsigned>(axis.stride - 1);
    return {static_cast<int>(stride.split(first)), min(static_cast<int>(stride.split(last)), axis.windows - 1)};
  }
};

/// How many positions inside the image window `o` of an axis without dilation sees.
__device__ __forceinline__ int positions_seen(const PoolAxis& axis, int o) {
  const int first = o * axis.stride - axis.before;
  return max(min(first + axis.kernel, axis.extent) - max(first, 0), 0);
}

/// Where a vector of channels lies in an image array with the given extents.
__device__ __forceinline__ std::int64_t image_offset(std::int64_t image, std::int64_t row, std::int64_t column,
                                                     std::int64_t channel, std::int64_t rows, std::int64_t columns,
                                                     std::int64_t channels) {
  return ((image * rows + row) * columns + column) * channels + channel;
}

/// body(type, index, vector) for a kernel over `count` elements: the device type of `dtype`, an index type that holds
/// count, and the widest vector of channels that `aligned`, true iff all addresses are multiples of 16, allows.
template <class Body>
void with_pool_types(DType dtype, std::int64_t count, std::int64_t channels, bool aligned, const Body& body) {
  with_float_type(dtype, [&](auto type) {
    constexpr int kElements = kVectorElements<decltype(type)>;
    with_index_type(count, [&](auto index) {
      if (aligned && channels % kElements == 0) {
        body(type, index, std::integral_constant<int, kElements>{});
      } else {
        body(type, index, std::integral_constant<int, 1>{});
      }
    });
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
