#pragma once

#include <memory>
#include <string>

#include "models/backbone.h"

namespace graft {

/// Which EfficientNet (Tan and Le 2019): B0 to B7, or Lite0 to Lite4 for devices, whose stem and last convolution keep
/// B0's width and whose first and last stage keep its depth.
struct EfficientNetConfig {
  int scale = 0;      ///< 0 to 7; 0 to 4 of a lite one
  bool lite = false;  ///< ReLU6 in place of SiLU, no squeeze and excitation
  /// As TensorFlow's checkpoints were trained: its "SAME" padding, and 1e-3 instead of 1e-5 in batch norm.
  bool tensorflow = false;
};

/// The input size that its authors' code names.
std::int64_t efficientnet_input_size(const EfficientNetConfig& config);

/// The network under timm's parameter names (conv_stem, bn1, blocks.0.0.conv_dw, ..., conv_head, bn2, classifier).
/// Stages: stem, blocks.0 ... blocks.6, conv_head. Throws Error(usage) for another scale.
std::shared_ptr<Backbone> make_efficientnet(Backend& backend, const EfficientNetConfig& config,
                                            const BackboneOptions& options);

}  // namespace graft
