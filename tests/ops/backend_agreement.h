#pragma once

#include <functional>
#include <vector>

#include "engine/autograd/variable.h"

namespace graft::testing {

/// Runs `function` forward and backward on every backend under test, in f32 and bf16, and expects output and gradients
/// to be those of the reference in f64 on the same inputs: off by at most `roundings` times the dtype's unit roundoff
/// times the largest exact element; 0 means equal bits, for operations that only move numbers. Inputs are leaves of the
/// given shapes with random values; output memory is poisoned first, so that what a kernel leaves unwritten shows.
void expect_agreement(const std::function<Variable(const std::vector<Variable>&)>& function,
                      const std::vector<Shape>& inputs, double roundings);

}  // namespace graft::testing
