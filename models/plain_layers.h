#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/backend/pool.h"
#include "engine/nn/conv_batch_norm.h"
#include "engine/nn/dropout.h"
#include "engine/nn/linear.h"
#include "engine/nn/module.h"

namespace graft {

/// A layer of a plain network, as AlexNet and VGG are: convolution [, batch norm], ReLU [, max pooling].
struct PlainConvConfig {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  std::int64_t padding = 1;
  std::string name = "0";   ///< of the convolution's parameters
  std::string norm_name{};  ///< of the batch norm's; without one where empty
  std::optional<Pool2dOptions> pool{};
};

class PlainConv final : public Module {
 public:
  PlainConv(Backend& backend, const PlainConvConfig& config);
  Variable forward(const Variable& x, const ForwardContext& context) override;

 private:
  std::shared_ptr<Module> conv_;  ///< with its batch norm
  std::optional<Pool2dOptions> pool_;
};

/// A hidden layer of a plain network's classifier: linear and ReLU, with dropout before or after. Images are flattened,
/// where `extent` is given averaged to it before (torchvision's AdaptiveAvgPool2d, nothing at the published input
/// size).
struct PlainLinearConfig {
  std::int64_t in_features = 0;
  std::int64_t out_features = 4096;
  std::string name = "0";
  std::string dropout_stream{};  ///< the layer's name in the whole network
  double dropout = 0.5;
  bool dropout_first = false;
  std::optional<Extent2d> extent{};
};

class PlainLinear final : public Module {
 public:
  PlainLinear(Backend& backend, const PlainLinearConfig& config);
  Variable forward(const Variable& x, const ForwardContext& context) override;

 private:
  std::shared_ptr<Linear> linear_;
  std::shared_ptr<Dropout> dropout_;
  bool dropout_first_;
  std::optional<Extent2d> extent_;
};

}  // namespace graft
