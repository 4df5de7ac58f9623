#include "models/efficientnet_block.h"

#include <utility>

#include "engine/ops/activation.h"
#include "engine/ops/adaptive_avg_pool2d.h"
#include "engine/ops/flatten.h"
#include "engine/ops/scale_channels.h"

namespace graft {
namespace {

std::shared_ptr<Conv2d> pointwise_with_bias(Backend& backend, std::int64_t in_channels, std::int64_t out_channels) {
  return std::make_shared<Conv2d>(
      backend, Conv2dConfig{.in_channels = in_channels, .out_channels = out_channels, .kernel = {1, 1}});
}

std::shared_ptr<Conv2d> make_conv(Backend& backend, const EfficientNetStyle& style,
                                  const ConvActivationConfig& config) {
  const Window2d window{.stride = {config.stride, config.stride}, .padding = Padding2d::same(config.kernel / 2)};
  return std::make_shared<Conv2d>(backend, Conv2dConfig{.in_channels = config.in_channels,
                                                        .out_channels = config.out_channels,
                                                        .kernel = {config.kernel, config.kernel},
                                                        .options = {.window = window, .groups = config.groups},
                                                        .bias = false,
                                                        .same_padding = style.same_padding});
}

}  // namespace

ConvActivation::ConvActivation(Backend& backend, const EfficientNetStyle& style, const ConvActivationConfig& config)
    : silu_(!style.lite) {
  BatchNormOptions norm = style.norm;
  norm.relu6 = style.lite;
  layer_ = add_module(
      "", std::make_shared<ConvBatchNorm>(config.conv_name, make_conv(backend, style, config), config.norm_name, norm));
}

Variable ConvActivation::forward(const Variable& x, const ForwardContext& context) {
  const Variable y = layer_->forward(x, context);
  return silu_ ? silu(y) : y;
}

SqueezeExcite::SqueezeExcite(Backend& backend, std::int64_t channels, std::int64_t reduced) {
  reduce_ = add_module("conv_reduce", pointwise_with_bias(backend, channels, reduced));
  expand_ = add_module("conv_expand", pointwise_with_bias(backend, reduced, channels));
}

Variable SqueezeExcite::forward(const Variable& x, const ForwardContext& context) {
  const Variable means = adaptive_avg_pool2d(x, {1, 1});
  const Variable gate = sigmoid(expand_->forward(silu(reduce_->forward(means, context)), context));
  return scale_channels(x, flatten(gate));
}

EfficientNetBlock::EfficientNetBlock(Backend& backend, const EfficientNetStyle& style,
                                     const EfficientNetBlockConfig& config)
    : residual_(config.stride == 1 && config.in_channels == config.out_channels) {
  const bool expands = config.expansion != 1;
  const std::int64_t inner = config.in_channels * config.expansion;
  if (expands) {
    const ConvActivationConfig expand{
        .in_channels = config.in_channels, .out_channels = inner, .conv_name = "conv_pw", .norm_name = "bn1"};
    expand_ = add_module("", std::make_shared<ConvActivation>(backend, style, expand));
  }
  const ConvActivationConfig depthwise{.in_channels = inner,
                                       .out_channels = inner,
                                       .kernel = config.kernel,
                                       .stride = config.stride,
                                       .groups = inner,
                                       .conv_name = "conv_dw",
                                       .norm_name = expands ? "bn2" : "bn1"};
  depthwise_ = add_module("", std::make_shared<ConvActivation>(backend, style, depthwise));
  if (!style.lite) {
    excite_ = add_module("se", std::make_shared<SqueezeExcite>(backend, inner, config.in_channels / 4));
  }
  const ConvActivationConfig project{.in_channels = inner, .out_channels = config.out_channels};
  const ResidualSumConfig end{.conv_name = expands ? "conv_pwl" : "conv_pw",
                              .norm_name = expands ? "bn3" : "bn2",
                              .norm = style.norm,
                              .depth = residual_ ? config.depth : StochasticDepth{}};
  project_ = add_module("", std::make_shared<ResidualSum>(make_conv(backend, style, project), end));
}

Variable EfficientNetBlock::forward(const Variable& x, const ForwardContext& context) {
  Variable y = x;
  if (expand_ != nullptr) y = expand_->forward(y, context);
  y = depthwise_->forward(y, context);
  if (excite_ != nullptr) y = excite_->forward(y, context);
  return project_->forward(y, residual_ ? x : Variable{}, context);
}

}  // namespace graft
