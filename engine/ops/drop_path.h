#pragma once

#include "engine/autograd/variable.h"
#include "engine/backend/elementwise.h"

namespace graft {

/// Stochastic depth by image (Huang et al. 2016): image n of x [N, ...] becomes x / (1 - p) where it is kept, else 0;
/// which are kept is a function of options.random, *step and n. `step` i64 [1] on the backend must hold the same number
/// until backward has passed. p = 0 gives x itself.
Variable drop_path(const Variable& x, const DropoutOptions& options, const Tensor& step);

}  // namespace graft
