#pragma once

#include "engine/autograd/variable.h"

namespace graft {

/// y = a + b, of one shape and dtype.
Variable add(const Variable& a, const Variable& b);

}  // namespace graft
