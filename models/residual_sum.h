#pragma once

#include <memory>
#include <string>

#include "engine/nn/conv_batch_norm.h"
#include "engine/nn/dropout.h"
#include "engine/nn/module.h"

namespace graft {

/// Which residual blocks training drops, and how often (Huang et al. 2016).
struct StochasticDepth {
  double rate = 0.0;     ///< of this block
  std::string stream{};  ///< the block's name in the network
};

/// The linear rule: block i of a network drops with rate * i / steps. timm's steps are the number of blocks less one in
/// residual networks, and the number of blocks in EfficientNet and MobileNetV2.
class LinearDepthRule {
 public:
  LinearDepthRule(double rate, int steps) : rate_(rate), steps_(steps) {}
  /// Of the network's next block, named `block` in it.
  StochasticDepth next(const std::string& block) { return {.rate = rate_ * index_++ / steps_, .stream = block}; }

 private:
  double rate_;
  int steps_;
  int index_ = 0;
};

/// A convolution of a residual branch with its batch norm, and how the branch ends.
struct ResidualSumConfig {
  std::string conv_name{};
  std::string norm_name{};
  BatchNormOptions norm{};  ///< with the ReLU after the sum, if there is one
  StochasticDepth depth{};
};

/// The end of a residual branch: y = bn(conv(x)) + shortcut [then ReLU, with norm.relu], where training multiplies
/// bn(conv(x)) of an image by 0 with probability depth.rate, else by 1 / (1 - depth.rate). Evaluation gives the same
/// bits at every rate.
class ResidualSum final : public Module {
 public:
  ResidualSum(std::shared_ptr<Conv2d> conv, const ResidualSumConfig& config);
  /// Without a shortcut, and then without stochastic depth.
  Variable forward(const Variable& x, const ForwardContext& context) override;
  /// `shortcut` may be undefined.
  Variable forward(const Variable& x, const Variable& shortcut, const ForwardContext& context);

 private:
  bool relu_after_ = false;  ///< the sum's ReLU is a step of its own, after the branch was dropped
  std::shared_ptr<ConvBatchNorm> last_;
  std::shared_ptr<DropPath> drop_path_;  ///< empty at rate 0
};

}  // namespace graft
