#pragma once

#include "engine/autograd/variable.h"
#include "engine/backend/window.h"

namespace graft {

/// x [N, H, W, C] to y [N, output.height, output.width, C]: row i is the mean of the rows from floor(i H / height) to
/// before ceil((i + 1) H / height), columns likewise; torch's AdaptiveAvgPool2d.
Variable adaptive_avg_pool2d(const Variable& x, Extent2d output);

}  // namespace graft
