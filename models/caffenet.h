#pragma once

#include <memory>

#include "models/backbone.h"

namespace graft {

/// CaffeNet (Jia et al. 2014), the network of Yosinski et al. 2014: AlexNet with convolutions 2, 4 and 5 in two groups
/// and local response normalisation behind pooling, for 227x227 images. Pools round their extents up, as Caffe's do.
/// Parameters are named after Caffe's layers (conv1.weight ... fc8.bias). Stages: conv1 ... conv5, fc6, fc7, pool and
/// normalisation belonging to the stage before them. Throws Error(usage) for images below 63x63.
std::shared_ptr<Backbone> make_caffenet(Backend& backend, const BackboneOptions& options);

}  // namespace graft
