#pragma once

#include <memory>

#include "models/backbone.h"

namespace graft {

/// DenseNet-121, 161, 169 or 201 (Huang et al. 2017) as torchvision builds them, with its parameter names
/// (features.conv0, features.norm0, features.denseblock1.denselayer1.norm1, ..., features.norm5, classifier). Stages:
/// conv0 (with its batch norm and pool), denseblock1, transition1, ..., denseblock4, norm5. Throws Error(usage) for
/// another depth. CheXNet (Rajpurkar et al. 2017) is DenseNet-121 of 14 classes that do not exclude each other: its
/// outputs are logits too, each of a sigmoid.
std::shared_ptr<Backbone> make_densenet(Backend& backend, int depth, const BackboneOptions& options);

}  // namespace graft
