#pragma once

#include <memory>

#include "models/backbone.h"
#include "models/residual_block.h"

namespace graft {

/// The ResNets for 32x32 images of He et al. 2016, section 4.2: a 3x3 convolution, three layers of (depth - 2) / 6
/// blocks with 16, 32 and 64 channels, global average pooling and a linear layer. Depth 20, 32, 44, 56 or 110;
/// shortcuts of option A (the paper's) or B. Parameter names are those of the implementation for PyTorch that is used
/// most: conv1, bn1, layer1.0.conv1, layer1.0.bn1, ..., layer2.0.shortcut.0 (option B), linear. Stages: stem, layer1,
/// layer2, layer3. Throws Error(usage) for a depth that is not 6 n + 2.
std::shared_ptr<Backbone> make_cifar_resnet(Backend& backend, int depth, ShortcutOption shortcut,
                                            const BackboneOptions& options);

}  // namespace graft
