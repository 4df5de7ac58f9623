#pragma once

#include "engine/autograd/variable.h"

namespace graft {

/// y = min(max(0, x), 6) (Howard et al. 2017).
Variable relu6(const Variable& x);
/// y = x sigmoid(x) (Elfwing et al. 2018); swish.
Variable silu(const Variable& x);
/// y = 1 / (1 + exp(-x)).
Variable sigmoid(const Variable& x);

}  // namespace graft
