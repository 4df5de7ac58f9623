#pragma once

#include <memory>

#include "models/backbone.h"

namespace graft {

/// AlexNet in one column (Krizhevsky 2014) as torchvision builds it, with its parameter names (features.0 ...
/// features.10, classifier.1, .4, .6). Stages: conv1 ... conv5, fc6, fc7, a pool belonging to the stage before it.
std::shared_ptr<Backbone> make_alexnet(Backend& backend, const BackboneOptions& options);

}  // namespace graft
