#include "engine/nn/conv2d.h"

#include <algorithm>

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {
namespace {

/// Rows or columns that "SAME" adds along an extent, before and after together.
std::int64_t same_total(std::int64_t extent, std::int64_t kernel, std::int64_t stride, std::int64_t dilation) {
  const std::int64_t outputs = (extent + stride - 1) / stride;
  return std::max<std::int64_t>(0, (outputs - 1) * stride + dilation * (kernel - 1) + 1 - extent);
}

Padding2d same_padding(const Shape& x, const Extent2d& kernel, const Window2d& window) {
  if (x.rank() != 4) return {};
  const std::int64_t rows = same_total(x[1], kernel.height, window.stride.height, window.dilation.height);
  const std::int64_t columns = same_total(x[2], kernel.width, window.stride.width, window.dilation.width);
  return {.top = rows / 2, .left = columns / 2, .bottom = rows - rows / 2, .right = columns - columns / 2};
}

}  // namespace

Conv2d::Conv2d(Backend& backend, const Conv2dConfig& config) : config_(config) {
  const std::int64_t groups = config.options.groups;
  check(groups >= 1 && config.in_channels % groups == 0 && config.out_channels % groups == 0,
        "[conv2d] {} groups do not divide {} input and {} output channels", groups, config.in_channels,
        config.out_channels);
  const Shape shape{config.out_channels, config.kernel.height, config.kernel.width, config.in_channels / groups};
  weight_ = add_parameter("weight", backend.empty(shape, DType::f32));
  if (config.bias) bias_ = add_parameter("bias", backend.empty({config.out_channels}, DType::f32));
}

Conv2dOptions Conv2d::options_for(const Shape& x) const {
  Conv2dOptions options = config_.options;
  if (config_.same_padding) options.window.padding = same_padding(x, config_.kernel, options.window);
  return options;
}

Variable Conv2d::forward(const Variable& x, const ForwardContext&) {
  return conv2d(x, weight_, bias_, options_for(x.shape()));
}

}  // namespace graft
