#pragma once

#include <cstdint>

#include "cuda/kernels/device/divide.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// A vector of channels of an image in NHWC.
struct ImagePlace {
  std::int64_t image, row, column, channel;
};

/// Takes the number of a vector of `vector` channels in an array [images, height, width, channels] apart.
template <class Index>
struct ImageIndex {
  Divider<Index> vectors, width, height;
  int vector;

  /// All extents at least 1; `vector` divides `channels`.
  ImageIndex(std::int64_t height_, std::int64_t width_, std::int64_t channels, int vector_)
      : vectors(channels / vector_), width(width_), height(height_), vector(vector_) {}

  __device__ __forceinline__ ImagePlace operator()(std::int64_t number) const {
    auto channel = static_cast<Index>(number);
    Index column = vectors.split(channel);
    Index row = width.split(column);
    const Index image = height.split(row);
    return {static_cast<std::int64_t>(image), static_cast<std::int64_t>(row), static_cast<std::int64_t>(column),
            static_cast<std::int64_t>(channel) * vector};
  }
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
