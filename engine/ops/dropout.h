#pragma once

#include "engine/autograd/variable.h"
#include "engine/backend/elementwise.h"

namespace graft {

/// y = x / (1 - p) where kept, else 0; which elements are kept is a function of options.random, *step and the index.
/// `step` i64 [1] on the backend must hold the same number until backward has passed. p = 0 gives x itself.
Variable dropout(const Variable& x, const DropoutOptions& options, const Tensor& step);

}  // namespace graft
