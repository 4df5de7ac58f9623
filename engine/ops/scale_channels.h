#pragma once

#include "engine/autograd/variable.h"

namespace graft {

/// y[n, h, w, c] = x[n, h, w, c] s[n, c], x [N, H, W, C] and s [N, C] of one dtype: the excitation of squeeze and
/// excitation (Hu et al. 2018).
Variable scale_channels(const Variable& x, const Variable& s);

}  // namespace graft
