#pragma once

#include "engine/autograd/variable.h"

namespace graft {

/// y = max(0, x).
Variable relu(const Variable& x);

}  // namespace graft
