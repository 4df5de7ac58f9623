#pragma once

#include <span>

#include "engine/autograd/variable.h"

namespace graft {

/// The inputs' channels, their last dimension, one after another: x_i [..., C_i] to [..., sum of C_i], of one dtype and
/// equal leading extents. At least one input; one alone is given back as it is.
Variable concat_channels(std::span<const Variable> inputs);

}  // namespace graft
