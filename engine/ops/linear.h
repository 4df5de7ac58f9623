#pragma once

#include "engine/autograd/variable.h"

namespace graft {

/// y = x w^T [+ bias] [then ReLU]; `bias` may be undefined. x [..., I] f32, bf16 or f64; w [O, I] and bias [O] in f32
/// (f64 with f64); y [..., O] has the dtype of x. Throws Error on shapes that do not fit.
Variable linear(const Variable& x, const Variable& w, const Variable& bias, bool relu = false);

}  // namespace graft
