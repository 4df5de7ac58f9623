#include "models/plain_layers.h"

#include <utility>

#include "engine/ops/adaptive_avg_pool2d.h"
#include "engine/ops/flatten.h"
#include "engine/ops/max_pool2d.h"

namespace graft {

PlainConv::PlainConv(Backend& backend, const PlainConvConfig& config) : pool_(config.pool) {
  const bool with_norm = !config.norm_name.empty();
  const Window2d window{.stride = {config.stride, config.stride}, .padding = Padding2d::same(config.padding)};
  auto conv = std::make_shared<Conv2d>(backend, Conv2dConfig{.in_channels = config.in_channels,
                                                             .out_channels = config.out_channels,
                                                             .kernel = {config.kernel, config.kernel},
                                                             .options = {.window = window, .relu = !with_norm}});
  if (with_norm) {
    const BatchNormOptions options{.relu = true};
    conv_ = add_module("", std::make_shared<ConvBatchNorm>(config.name, std::move(conv), config.norm_name, options));
  } else {
    conv_ = add_module(config.name, std::move(conv));
  }
}

Variable PlainConv::forward(const Variable& x, const ForwardContext& context) {
  const Variable y = conv_->forward(x, context);
  return pool_ ? max_pool2d(y, *pool_) : y;
}

PlainLinear::PlainLinear(Backend& backend, const PlainLinearConfig& config)
    : dropout_first_(config.dropout_first), extent_(config.extent) {
  linear_ = add_module(config.name, std::make_shared<Linear>(backend, LinearConfig{.in_features = config.in_features,
                                                                                   .out_features = config.out_features,
                                                                                   .relu = true}));
  dropout_ = add_module(config.dropout_stream, std::make_shared<Dropout>(config.dropout, config.dropout_stream));
}

Variable PlainLinear::forward(const Variable& x, const ForwardContext& context) {
  const bool adapts = extent_ && x.shape().rank() == 4 && Extent2d{x.shape()[1], x.shape()[2]} != *extent_;
  const Variable features = flatten(adapts ? adaptive_avg_pool2d(x, *extent_) : x);
  if (dropout_first_) return linear_->forward(dropout_->forward(features, context), context);
  return dropout_->forward(linear_->forward(features, context), context);
}

}  // namespace graft
