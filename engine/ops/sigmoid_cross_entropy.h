#pragma once

#include "engine/autograd/variable.h"

namespace graft {

/// Mean binary cross-entropy of sigmoid(logits) over the entries of logits [N, C] whose target, f32 [N, C] (f64 with
/// f64) in [0, 1], is not negative: multi-label classification. loss [1] is f32 (f64 with f64). Its gradient is
/// computed in the forward pass iff it is recorded.
Variable sigmoid_cross_entropy(const Variable& logits, const Tensor& targets);

}  // namespace graft
