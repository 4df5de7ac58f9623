#pragma once

#include <cstdint>

#include "cuda/platform.h"
#include "engine/backend/window.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// The extents of one convolution. Tensors: x, dx [batch, height, width, channels]; y, dy [batch, out_height,
/// out_width, out_channels]; w, dw [out_channels, kernel_height, kernel_width, group_channels]. `groups` divides both
/// channel counts; any extent may be 0. Output pixel (oh, ow) meets tap (kh, kw) at input pixel (oh * stride.height +
/// kh * dilation.height - padding.top, and so along the width).
struct ConvProblem {
  std::int64_t batch = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::int64_t out_height = 0;
  std::int64_t out_width = 0;
  std::int64_t out_channels = 0;
  std::int64_t kernel_height = 1;
  std::int64_t kernel_width = 1;
  std::int64_t groups = 1;
  Extent2d stride{};
  Extent2d dilation{};
  Padding2d padding{};

  /// Input and output channels of one group.
  std::int64_t group_channels() const { return channels / groups; }
  std::int64_t group_outputs() const { return out_channels / groups; }
  std::int64_t taps() const { return kernel_height * kernel_width; }
  std::int64_t in_pixels() const { return batch * height * width; }
  std::int64_t out_pixels() const { return batch * out_height * out_width; }
  std::int64_t x_count() const { return in_pixels() * channels; }
  std::int64_t w_count() const { return out_channels * taps() * group_channels(); }
  std::int64_t y_count() const { return out_pixels() * out_channels; }
  /// True iff there is no product to add: every output is an empty sum.
  bool empty() const { return x_count() == 0 || w_count() == 0 || y_count() == 0; }
  /// True iff every group reads one input channel.
  bool depthwise() const { return groups > 1 && groups == channels; }
};

/// What a forward convolution does to its sums, in f32 and before y is rounded: + bias, + residual, then ReLU.
struct ConvEpilogue {
  const float* bias = nullptr;     ///< f32 [out_channels] or null
  const void* residual = nullptr;  ///< of y's shape and dtype, or null; may be y
  bool relu = false;
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
