#pragma once

#include "engine/autograd/variable.h"

namespace graft {

/// y [N, C H W] from x [N, H, W, C], in the order C, H, W, so that classifier weights of public checkpoints fit. Free
/// where H W = 1 or C = 1. x [N, F] is given back as it is.
Variable flatten(const Variable& x);

}  // namespace graft
