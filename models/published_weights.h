#pragma once

#include <string>
#include <vector>

#include "models/backbone.h"

namespace graft {

/// The published weights of an architecture that a configuration is known of: for evaluation at 1000 classes of
/// ImageNet, as timm's and torchvision's model cards give them. Empty for an architecture without any.
std::vector<PublishedWeights> published_weights(const std::string& architecture);

}  // namespace graft
