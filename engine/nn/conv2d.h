#pragma once

#include <cstdint>

#include "engine/nn/module.h"
#include "engine/ops/conv2d.h"

namespace graft {

struct Conv2dConfig {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  Extent2d kernel{3, 3};
  Conv2dOptions options{};  ///< stride, padding, dilation, groups, fused ReLU
  bool bias = true;
  /// Padding as TensorFlow's "SAME": what ceil(extent / stride) outputs need, the odd one after the image. It depends
  /// on the input's extents and takes the place of options.window.padding.
  bool same_padding = false;
};

/// A convolution with parameters "weight" [O, KH, KW, C / groups] and, with config.bias, "bias" [O], values undefined
/// until initialize() or a checkpoint fills them.
class Conv2d : public Module {
 public:
  /// Throws Error if the groups do not divide the channels.
  Conv2d(Backend& backend, const Conv2dConfig& config);
  Variable forward(const Variable& x, const ForwardContext& context) override;
  const Conv2dConfig& config() const { return config_; }
  /// The options for an input of this shape: same_padding depends on its extents.
  Conv2dOptions options_for(const Shape& x) const;
  const Variable& weight() const { return weight_; }
  /// Undefined without a bias.
  const Variable& bias() const { return bias_; }

 private:
  Conv2dConfig config_;
  Variable weight_;
  Variable bias_;
};

}  // namespace graft
