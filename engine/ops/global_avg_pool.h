#pragma once

#include "engine/autograd/variable.h"

namespace graft {

/// The mean over each image of x [N, H, W, C]; y [N, C].
Variable global_avg_pool(const Variable& x);

}  // namespace graft
