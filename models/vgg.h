#pragma once

#include <memory>

#include "models/backbone.h"

namespace graft {

/// VGG-11, 13, 16 or 19 (Simonyan and Zisserman 2015), with or without batch norm, as torchvision builds them, with its
/// parameter names (features.0 ..., classifier.0, .3, .6). Stages: conv1_1, conv1_2 ..., conv5_3, fc6, fc7, a pool
/// belonging to the stage before it. Throws Error(usage) for another depth.
std::shared_ptr<Backbone> make_vgg(Backend& backend, int depth, bool batch_norm, const BackboneOptions& options);

}  // namespace graft
