#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/kernels/conv_problem.h"
#include "cuda/kernels/device/conv_gather.cuh"
#include "cuda/kernels/device/divide.cuh"
#include "cuda/kernels/device/grid.cuh"

// What the depthwise kernels share. A block of kBlockThreads takes `lanes` neighbouring channel vectors (a power of
// two) of kBlockThreads / lanes pixels at a time; a thread keeps its channels and strides over the pixels.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// A depthwise problem as its kernels take it.
struct DepthwiseShape {
  GatheredImage x{};
  int out_height = 0;
  int out_width = 0;
  std::int64_t images = 0;
  std::int64_t out_channels = 0;
  int multiplier = 1;  ///< output channels of an input channel
  int kernel_height = 0;
  int kernel_width = 0;
  int stride_h = 1;
  int stride_w = 1;
  int dilation_h = 1;
  int dilation_w = 1;
  int pad_top = 0;
  int pad_left = 0;
  int lanes = 1;

  explicit DepthwiseShape(const ConvProblem& p)
      : x{static_cast<int>(p.height), static_cast<int>(p.width), p.channels},
        out_height(static_cast<int>(p.out_height)),
        out_width(static_cast<int>(p.out_width)),
        images(p.batch),
        out_channels(p.out_channels),
        multiplier(static_cast<int>(p.group_outputs())),
        kernel_height(static_cast<int>(p.kernel_height)),
        kernel_width(static_cast<int>(p.kernel_width)),
        stride_h(static_cast<int>(p.stride.height)),
        stride_w(static_cast<int>(p.stride.width)),
        dilation_h(static_cast<int>(p.dilation.height)),
        dilation_w(static_cast<int>(p.dilation.width)),
        pad_top(static_cast<int>(p.padding.top)),
        pad_left(static_cast<int>(p.padding.left)) {}

  __host__ __device__ int taps() const { return kernel_height * kernel_width; }
  __device__ __forceinline__ int lane() const { return static_cast<int>(threadIdx.x) % lanes; }
  __device__ __forceinline__ int pixel_lane() const { return static_cast<int>(threadIdx.x) / lanes; }
  /// The first pixel of this thread and the step to its next one, where gridDim.`blocks` blocks share the pixels.
  __device__ __forceinline__ std::int64_t first_pixel(unsigned block) const {
    return std::int64_t{block} * (kBlockThreads / lanes) + pixel_lane();
  }

  /// Where tap (kh, kw) moves to in x, `channel` channels on.
  __device__ __forceinline__ Displacement tap(int index) const {
    const int h = index / kernel_width * dilation_h;
    const int w = index % kernel_width * dilation_w;
    return {x.offset(0, h, w), h, w};
  }
};

/// Lanes for `vectors` channel vectors: a power of two, at most a warp.
inline int depthwise_lanes(std::int64_t vectors, int most) {
  int lanes = 1;
  while (lanes < most && lanes < vectors) lanes *= 2;
  return lanes;
}

/// A pixel of an array [images, height, width].
struct Pixel {
  std::int64_t image;
  int h;
  int w;
};
template <class Index>
struct PixelIndex {
  Divider<Index> width;
  Divider<Index> height;
  PixelIndex(std::int64_t height_, std::int64_t width_) : width(width_), height(height_) {}
  __device__ __forceinline__ Pixel operator()(std::int64_t number) const {
    auto column = static_cast<Index>(number);
    Index row = width.split(column);
    const Index image = height.split(row);
    return {static_cast<std::int64_t>(image), static_cast<int>(row), static_cast<int>(column)};
  }
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
