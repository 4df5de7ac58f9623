#pragma once

#include <memory>

#include "models/backbone.h"

namespace graft {

/// A small plain network for small images: 3x3 convolutions with ReLU of 16, 32, 32, 64 and 64 channels, 2x2 max
/// pooling after the first and the third, a linear layer of 128 with ReLU, and a linear head; no batch norm. Its six
/// stages are conv1 ... conv5 and fc6, a pool belonging to the stage before it. Throws Error(usage) for images below
/// 4x4.
std::shared_ptr<Backbone> make_convnet6(Backend& backend, const BackboneOptions& options);

}  // namespace graft
