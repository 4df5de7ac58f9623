#pragma once

#include "engine/autograd/variable.h"
#include "engine/backend/pool.h"

namespace graft {

/// The mean of each window of x [N, H, W, C]; y [N, OH, OW, C].
Variable avg_pool2d(const Variable& x, const Pool2dOptions& options);

}  // namespace graft
