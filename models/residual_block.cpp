#include "models/residual_block.h"

#include <utility>

#include "engine/ops/subsample_pad.h"

namespace graft {
namespace {

/// A convolution convNUMBER, its batch norm bnNUMBER and a ReLU.
std::shared_ptr<ConvBatchNorm> conv_norm_relu(const std::string& number, std::shared_ptr<Conv2d> conv) {
  return std::make_shared<ConvBatchNorm>("conv" + number, std::move(conv), "bn" + number,
                                         BatchNormOptions{.relu = true});
}

/// The same at the end of a branch, where the shortcut is added before the ReLU.
std::shared_ptr<ResidualSum> branch_end(const std::string& number, std::shared_ptr<Conv2d> conv,
                                        const StochasticDepth& depth) {
  return std::make_shared<ResidualSum>(
      std::move(conv),
      ResidualSumConfig{
          .conv_name = "conv" + number, .norm_name = "bn" + number, .norm = {.relu = true}, .depth = depth});
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
  auto conv = residual_conv(backend, config.in_channels, out_channels, 1, config.stride);
  projection_ = add_module("", std::make_shared<ConvBatchNorm>("0", std::move(conv), "1"));
}

Variable Shortcut::forward(const Variable& x, const ForwardContext& context) {
  if (identity_) return x;
  if (projection_ == nullptr) return subsample_pad(x, stride_, out_channels_);
  return projection_->forward(x, context);
}

BasicBlock::BasicBlock(Backend& backend, const ResidualBlockConfig& config) {
  conv1_ =
      add_module("", conv_norm_relu("1", residual_conv(backend, config.in_channels, config.width, 3, config.stride)));
  conv2_ = add_module("", branch_end("2", residual_conv(backend, config.width, config.width, 3, 1), config.depth));
  shortcut_ = add_module(config.shortcut_name, std::make_shared<Shortcut>(backend, config, config.width));
}

Variable BasicBlock::forward(const Variable& x, const ForwardContext& context) {
  const Variable inner = conv1_->forward(x, context);
  return conv2_->forward(inner, shortcut_->forward(x, context), context);
}

Bottleneck::Bottleneck(Backend& backend, const ResidualBlockConfig& config) {
  const std::int64_t inner = config.groups * config.width * config.group_width / 64;
  const std::int64_t out_channels = kExpansion * config.width;
  conv1_ = add_module("", conv_norm_relu("1", residual_conv(backend, config.in_channels, inner, 1, 1)));
  conv2_ = add_module("", conv_norm_relu("2", residual_conv(backend, inner, inner, 3, config.stride, config.groups)));
  conv3_ = add_module("", branch_end("3", residual_conv(backend, inner, out_channels, 1, 1), config.depth));
  shortcut_ = add_module(config.shortcut_name, std::make_shared<Shortcut>(backend, config, out_channels));
}

Variable Bottleneck::forward(const Variable& x, const ForwardContext& context) {
  const Variable inner = conv2_->forward(conv1_->forward(x, context), context);
  return conv3_->forward(inner, shortcut_->forward(x, context), context);
}

}  // namespace graft
