#pragma once

#include "engine/autograd/variable.h"
#include "engine/backend/conv.h"

namespace graft {

/// y = conv(x, w) [+ bias] [+ residual] [then ReLU, with options.relu]; `bias` and `residual` may be undefined.
/// x [N, H, W, C] f32, bf16 or f64; w [O, KH, KW, C / groups] and bias [O] in f32 (f64 with f64); y and residual have
/// the dtype of x. Throws Error on shapes that do not fit.
Variable conv2d(const Variable& x, const Variable& w, const Variable& bias, const Variable& residual,
                const Conv2dOptions& options);
Variable conv2d(const Variable& x, const Variable& w, const Variable& bias, const Conv2dOptions& options);

}  // namespace graft
