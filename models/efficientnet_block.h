#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/nn/conv_batch_norm.h"
#include "engine/nn/module.h"
#include "models/residual_sum.h"

namespace graft {

/// What an EfficientNet's layers have in common.
struct EfficientNetStyle {
  bool same_padding = false;  ///< TensorFlow's, as its checkpoints were trained with
  bool lite = false;          ///< ReLU6 in place of SiLU, no squeeze and excitation
  BatchNormOptions norm{};
};

struct ConvActivationConfig {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t groups = 1;
  std::string conv_name{};
  std::string norm_name{};
};

/// A convolution without bias, the batch norm behind it, and SiLU, in a lite network ReLU6.
class ConvActivation final : public Module {
 public:
  ConvActivation(Backend& backend, const EfficientNetStyle& style, const ConvActivationConfig& config);
  Variable forward(const Variable& x, const ForwardContext& context) override;

 private:
  bool silu_;  ///< ReLU6 is the batch norm's own
  std::shared_ptr<ConvBatchNorm> layer_;
};

/// Squeeze and excitation (Hu et al. 2018): x times a sigmoid of two 1x1 convolutions, conv_reduce and conv_expand, of
/// the images' means, with SiLU between them.
class SqueezeExcite final : public Module {
 public:
  SqueezeExcite(Backend& backend, std::int64_t channels, std::int64_t reduced);
  Variable forward(const Variable& x, const ForwardContext& context) override;

 private:
  std::shared_ptr<Conv2d> reduce_;
  std::shared_ptr<Conv2d> expand_;
};

struct EfficientNetBlockConfig {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  std::int64_t expansion = 6;
  StochasticDepth depth{};
};

/// An inverted residual block (Sandler et al. 2018; Tan and Le 2019) under timm's names: conv_pw, bn1, conv_dw, bn2,
/// se, conv_pwl, bn3; without expansion conv_dw, bn1, se, conv_pw, bn2. The last batch norm takes the input where
/// shapes allow; only then does stochastic depth apply.
class EfficientNetBlock final : public Module {
 public:
  EfficientNetBlock(Backend& backend, const EfficientNetStyle& style, const EfficientNetBlockConfig& config);
  Variable forward(const Variable& x, const ForwardContext& context) override;

 private:
  bool residual_;
  std::shared_ptr<ConvActivation> expand_;  ///< empty without expansion
  std::shared_ptr<ConvActivation> depthwise_;
  std::shared_ptr<SqueezeExcite> excite_;
  std::shared_ptr<ResidualSum> project_;
};

}  // namespace graft
