#include "models/residual_block.h"

#include "engine/ops/subsample_pad.h"

namespace graft {
namespace {

std::shared_ptr<BatchNorm2d> batch_norm_relu(Backend& backend, std::int64_t channels) {
  return std::make_shared<BatchNorm2d>(backend, channels, BatchNormOptions{.relu = true});
}

}  // namespace

std::shared_ptr<Conv2d> residual_conv(Backend& backend, std::int64_t in_channels, std::int64_t out_channels,
                                      std::int64_t kernel, std::int64_t stride, std::int64_t groups) {
  const Window2d window{.stride = {stride, stride}, .padding = Padding2d::same(kernel / 2)};
  return std::make_shared<Conv2d>(backend, Conv2dConfig{.in_channels = in_channels,
                                                        .out_channels = out_channels,
                                                        .kernel = {kernel, kernel},
                                                        .options = {.window = window, .groups = groups},
                                                        .bias = false});
}

Shortcut::Shortcut(Backend& backend, const ResidualBlockConfig& config, std::int64_t out_channels)
    : stride_(config.stride),
      out_channels_(out_channels),
      identity_(config.stride == 1 && config.in_channels == out_channels) {
  if (identity_ || config.shortcut == ShortcutOption::pad) return;
  conv_ = add_module("0", residual_conv(backend, config.in_channels, out_channels, 1, config.stride));
  bn_ = add_module("1", std::make_shared<BatchNorm2d>(backend, out_channels));
}

Variable Shortcut::forward(const Variable& x, const ForwardContext& context) {
  if (identity_) return x;
  if (conv_ == nullptr) return subsample_pad(x, stride_, out_channels_);
  return bn_->forward(conv_->forward(x, context), context);
}

BasicBlock::BasicBlock(Backend& backend, const ResidualBlockConfig& config) {
  conv1_ = add_module("conv1", residual_conv(backend, config.in_channels, config.width, 3, config.stride));
  bn1_ = add_module("bn1", batch_norm_relu(backend, config.width));
  conv2_ = add_module("conv2", residual_conv(backend, config.width, config.width, 3, 1));
  bn2_ = add_module("bn2", batch_norm_relu(backend, config.width));
  shortcut_ = add_module(config.shortcut_name, std::make_shared<Shortcut>(backend, config, config.width));
}

Variable BasicBlock::forward(const Variable& x, const ForwardContext& context) {
  const Variable inner = bn1_->forward(conv1_->forward(x, context), context);
  return bn2_->forward(conv2_->forward(inner, context), shortcut_->forward(x, context), context);
}

Bottleneck::Bottleneck(Backend& backend, const ResidualBlockConfig& config) {
  const std::int64_t inner = config.groups * config.width * config.group_width / 64;
  const std::int64_t out_channels = kExpansion * config.width;
  conv1_ = add_module("conv1", residual_conv(backend, config.in_channels, inner, 1, 1));
  bn1_ = add_module("bn1", batch_norm_relu(backend, inner));
  conv2_ = add_module("conv2", residual_conv(backend, inner, inner, 3, config.stride, config.groups));
  bn2_ = add_module("bn2", batch_norm_relu(backend, inner));
  conv3_ = add_module("conv3", residual_conv(backend, inner, out_channels, 1, 1));
  bn3_ = add_module("bn3", batch_norm_relu(backend, out_channels));
  shortcut_ = add_module(config.shortcut_name, std::make_shared<Shortcut>(backend, config, out_channels));
}

Variable Bottleneck::forward(const Variable& x, const ForwardContext& context) {
  const Variable narrow = bn1_->forward(conv1_->forward(x, context), context);
  const Variable inner = bn2_->forward(conv2_->forward(narrow, context), context);
  return bn3_->forward(conv3_->forward(inner, context), shortcut_->forward(x, context), context);
}

}  // namespace graft
