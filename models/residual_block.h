#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/nn/conv_batch_norm.h"
#include "engine/nn/module.h"
#include "models/residual_sum.h"

namespace graft {

/// A 3x3, 1x1 or 7x7 convolution as residual networks use it: padded to keep the size at stride 1, without bias.
std::shared_ptr<Conv2d> residual_conv(Backend& backend, std::int64_t in_channels, std::int64_t out_channels,
                                      std::int64_t kernel, std::int64_t stride, std::int64_t groups = 1);

/// What a block adds to its output where input and output differ in shape (He et al. 2016): option A, every stride-th
/// pixel and zero channels, without parameters; option B, a 1x1 convolution and batch norm.
enum class ShortcutOption { pad, projection };

struct ResidualBlockConfig {
  std::int64_t in_channels = 0;
  std::int64_t width = 0;  ///< channels of the 3x3 convolutions, before a bottleneck's group_width
  std::int64_t stride = 1;
  std::int64_t groups = 1;        ///< of a bottleneck's 3x3 convolution (Xie et al. 2017)
  std::int64_t group_width = 64;  ///< its channels are groups * width * group_width / 64
  ShortcutOption shortcut = ShortcutOption::projection;
  std::string shortcut_name = "downsample";  ///< of the projection's parameters: SHORTCUT.0 and SHORTCUT.1
  StochasticDepth depth{};
};

/// The part of a block that goes round its convolutions.
class Shortcut final : public Module {
 public:
  Shortcut(Backend& backend, const ResidualBlockConfig& config, std::int64_t out_channels);
  Variable forward(const Variable& x, const ForwardContext& context) override;

 private:
  std::int64_t stride_;
  std::int64_t out_channels_;
  bool identity_;
  std::shared_ptr<ConvBatchNorm> projection_;
};

/// Two 3x3 convolutions: conv1, bn1, conv2, bn2. The second batch norm takes the shortcut and the last ReLU with it.
class BasicBlock final : public Module {
 public:
  static constexpr std::int64_t kExpansion = 1;
  BasicBlock(Backend& backend, const ResidualBlockConfig& config);
  Variable forward(const Variable& x, const ForwardContext& context) override;

 private:
  std::shared_ptr<ConvBatchNorm> conv1_;
  std::shared_ptr<ResidualSum> conv2_;
  std::shared_ptr<Shortcut> shortcut_;
};

/// 1x1, 3x3 and 1x1 convolutions: conv1, bn1, conv2, bn2, conv3, bn3, the last to four times config.width. The
/// stride is in the 3x3 convolution ("v1.5", as in torchvision).
class Bottleneck final : public Module {
 public:
  static constexpr std::int64_t kExpansion = 4;
  Bottleneck(Backend& backend, const ResidualBlockConfig& config);
  Variable forward(const Variable& x, const ForwardContext& context) override;

 private:
  std::shared_ptr<ConvBatchNorm> conv1_;
  std::shared_ptr<ConvBatchNorm> conv2_;
  std::shared_ptr<ResidualSum> conv3_;
  std::shared_ptr<Shortcut> shortcut_;
};

}  // namespace graft
