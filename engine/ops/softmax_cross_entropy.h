#pragma once

#include "engine/autograd/variable.h"

namespace graft {

/// Mean softmax cross-entropy with label smoothing (Szegedy et al. 2016) over the rows of logits [N, C] whose label,
/// i64 [N], is not -1. loss [1] is f32 (f64 with f64). Its gradient is computed in the forward pass iff it is recorded.
Variable softmax_cross_entropy(const Variable& logits, const Tensor& labels, double label_smoothing);

}  // namespace graft
