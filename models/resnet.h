#pragma once

#include <cstdint>
#include <memory>

#include "models/backbone.h"

namespace graft {

/// What is in front of a ResNet's layers: ImageNet's 7x7 convolution of stride 2 and 3x3 max pooling, or a single 3x3
/// convolution that keeps the size of small images.
enum class ResNetStem { imagenet, small };

/// Which residual network: groups > 1 is ResNeXt (Xie et al. 2017), a wider group_width Wide-ResNet (Zagoruyko and
/// Komodakis 2016). Both exist with bottlenecks alone.
struct ResNetConfig {
  int depth = 50;  ///< 18, 34, 50, 101 or 152
  ResNetStem stem = ResNetStem::imagenet;
  std::int64_t groups = 1;
  std::int64_t group_width = 64;
};

/// ResNet (He et al. 2016), ResNeXt or Wide-ResNet as torchvision builds them: stride in the 3x3 convolution of a
/// bottleneck ("v1.5"), torchvision's parameter names in its order (conv1, bn1, layer1.0.conv1, ..., fc). Stages: stem,
/// layer1 ... layer4. Dropout, none by default, lies before fc as in timm. Throws Error(usage) for another depth, and
/// for groups or widths of a network without bottlenecks.
std::shared_ptr<Backbone> make_resnet(Backend& backend, const ResNetConfig& config, const BackboneOptions& options);

}  // namespace graft
