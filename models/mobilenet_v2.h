#pragma once

#include <memory>

#include "models/backbone.h"

namespace graft {

/// MobileNetV2 (Sandler et al. 2018) of width 1 as torchvision builds it, with its parameter names (features.0.0 ...
/// features.18.1, classifier.1). Stages: features.0 ... features.18, of which 1 to 17 are inverted residual blocks.
std::shared_ptr<Backbone> make_mobilenet_v2(Backend& backend, const BackboneOptions& options);

}  // namespace graft
