#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "engine/autograd/variable.h"

namespace graft::testing {

/// Where backward is furthest from central differences, in units of the tolerance.
struct GradientReport {
  bool ok = true;          ///< every element within its tolerance, and no tolerance too wide to tell
  std::size_t input = 0;   ///< the worst element: of which input,
  std::size_t index = 0;   ///< and where in it
  double backward = 0.0;   ///< its gradient by backward,
  double numeric = 0.0;    ///< and by central differences
  double tolerance = 0.0;  ///< what rounding and the third derivative allow there
  std::string str() const;
};

/// Checks backward of `function` at `inputs` (f64 on the reference backend) against central differences, for each input
/// that requires a gradient. The scalar that is differentiated is the sum of the output's elements, each times a fixed
/// random number, so every element of the Jacobian counts.
///
/// Differences of step h and 2h give both the value (extrapolated) and its truncation error; the tolerance is that
/// error plus the rounding of f64 sums divided by h. It comes from values of the function alone, so a wrong backward
/// cannot widen it. Kinks must be further than 2h = 2^-12 away.
GradientReport check_gradients(const std::function<Variable(const std::vector<Variable>&)>& function,
                               std::vector<Variable> inputs);

}  // namespace graft::testing
