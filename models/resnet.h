#pragma once

#include <memory>

#include "models/backbone.h"

namespace graft {

/// What is in front of a ResNet's layers: ImageNet's 7x7 convolution of stride 2 and 3x3 max pooling, or a single 3x3
/// convolution that keeps the size of small images.
enum class ResNetStem { imagenet, small };

/// ResNet-18, 34, 50, 101 or 152 (He et al. 2016) as torchvision builds them: stride in the 3x3 convolution of a
/// bottleneck ("v1.5"), torchvision's parameter names in its order (conv1, bn1, layer1.0.conv1, ..., fc). Stages: stem,
/// layer1 ... layer4. Throws Error(usage) for another depth.
std::shared_ptr<Backbone> make_resnet(Backend& backend, int depth, ResNetStem stem, const BackboneOptions& options);

}  // namespace graft
