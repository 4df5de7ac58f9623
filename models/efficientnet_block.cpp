#include "models/efficientnet_block.h"

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

}  // namespace

ConvNorm make_conv_norm(Backend& backend, const EfficientNetStyle& style, const ConvNormConfig& config) {
  const Window2d window{.stride = {config.stride, config.stride}, .padding = Padding2d::same(config.kernel / 2)};
  return {.conv = std::make_shared<Conv2d>(backend, Conv2dConfig{.in_channels = config.in_channels,
                                                                 .out_channels = config.out_channels,
                                                                 .kernel = {config.kernel, config.kernel},
                                                                 .options = {.window = window, .groups = config.groups},
                                                                 .bias = false,
                                                                 .same_padding = style.same_padding}),
          .norm = std::make_shared<BatchNorm2d>(backend, config.out_channels, style.norm)};
}

Variable activate(const Variable& x, const EfficientNetStyle& style) { return style.lite ? relu6(x) : silu(x); }

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
    : style_(style), residual_(config.stride == 1 && config.in_channels == config.out_channels) {
  const bool expands = config.expansion != 1;
  const std::int64_t inner = config.in_channels * config.expansion;
  if (expands) {
    expand_ = add("conv_pw", "bn1",
                  make_conv_norm(backend, style, {.in_channels = config.in_channels, .out_channels = inner}));
  }
  depthwise_ = add("conv_dw", expands ? "bn2" : "bn1",
                   make_conv_norm(backend, style,
                                  {.in_channels = inner,
                                   .out_channels = inner,
                                   .kernel = config.kernel,
                                   .stride = config.stride,
                                   .groups = inner}));
  if (!style.lite) {
    excite_ = add_module("se", std::make_shared<SqueezeExcite>(backend, inner, config.in_channels / 4));
  }
  project_ = add(expands ? "conv_pwl" : "conv_pw", expands ? "bn3" : "bn2",
                 make_conv_norm(backend, style, {.in_channels = inner, .out_channels = config.out_channels}));
}

ConvNorm EfficientNetBlock::add(const char* conv_name, const char* norm_name, const ConvNorm& layer) {
  add_module(conv_name, layer.conv);
  add_module(norm_name, layer.norm);
  return layer;
}

Variable EfficientNetBlock::forward(const Variable& x, const ForwardContext& context) {
  Variable y = x;
  if (expand_.conv != nullptr) y = activate(expand_.forward(y, {}, context), style_);
  y = activate(depthwise_.forward(y, {}, context), style_);
  if (excite_ != nullptr) y = excite_->forward(y, context);
  return project_.forward(y, residual_ ? x : Variable{}, context);
}

}  // namespace graft
