#include "tests/ops/gradient_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

using Function = std::function<Variable(const std::vector<Variable>&)>;

constexpr double kStep = 0x1p-13;
// Roundings that one element of the objective goes through, in all operations here less than this many.
constexpr double kRoundings = 64.0;

struct Objective {
  double value = 0.0;
  double magnitude = 0.0;  // the same sum with absolute values: what rounding is relative to
};

Objective evaluate(const Function& function, const std::vector<Variable>& inputs, const std::vector<double>& weights) {
  const NoGradScope no_grad;
  const std::vector<double> y = to_host(function(inputs).value());
  Objective result;
  for (std::size_t i = 0; i < y.size(); ++i) {
    result.value += weights[i] * y[i];
    result.magnitude += std::abs(weights[i] * y[i]);
  }
  return result;
}

struct Difference {
  double value = 0.0;
  double tolerance = 0.0;
};

// The derivative along element `index` of inputs[input].
Difference differentiate(const Function& function, std::vector<Variable>& inputs, std::size_t input, std::size_t index,
                         const std::vector<double>& weights) {
  const Tensor original = inputs[input].value();
  const std::vector<double> values = to_host(original);
  double magnitude = 0.0;
  const auto at = [&](double offset) {
    std::vector<double> moved = values;
    moved[index] += offset;
    inputs[input].set_value(from_host(original.backend(), original.shape(), DType::f64, moved));
    const Objective objective = evaluate(function, inputs, weights);
    magnitude = std::max(magnitude, objective.magnitude);
    return objective.value;
  };
  const double narrow = (at(kStep) - at(-kStep)) / (2 * kStep);
  const double wide = (at(2 * kStep) - at(-2 * kStep)) / (4 * kStep);
  inputs[input].set_value(original);
  const double rounding = kRoundings * std::numeric_limits<double>::epsilon() * (magnitude + 1.0) / kStep;
  return {(4.0 * narrow - wide) / 3.0, std::abs(wide - narrow) / 3.0 + rounding};
}

}  // namespace

std::string GradientReport::str() const {
  return fmt::format("input {} element {}: backward {:.12g}, central differences {:.12g}, tolerance {:.3g}", input,
                     index, backward, numeric, tolerance);
}

GradientReport check_gradients(const Function& function, std::vector<Variable> inputs) {
  for (Variable& input : inputs) input.clear_grad();
  const Variable y = function(inputs);
  const std::vector<double> weights = random_values(y.value().numel(), 4711);
  backward(y, from_host(y.backend(), y.shape(), y.dtype(), weights));

  GradientReport report;
  double worst = -1.0;
  for (std::size_t input = 0; input < inputs.size(); ++input) {
    if (!inputs[input].requires_grad()) continue;
    const std::vector<double> gradient = to_host(inputs[input].grad());
    double largest = 0.0;
    double widest = 0.0;
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const Difference numeric = differentiate(function, inputs, input, i, weights);
      largest = std::max(largest, std::abs(numeric.value));
      widest = std::max(widest, numeric.tolerance);
      const double ratio = std::abs(gradient[i] - numeric.value) / numeric.tolerance;
      // Written so that a NaN is the worst there is.
      if (!(ratio <= worst)) {
        worst = std::isnan(ratio) ? std::numeric_limits<double>::infinity() : ratio;
        report = {report.ok, input, i, gradient[i], numeric.value, numeric.tolerance};
      }
    }
    // A check that could not tell a gradient from one that is off by a ten-thousandth is none.
    if (!(widest <= 1e-4 * largest)) report.ok = false;
  }
  if (!(worst >= 0.0 && worst <= 1.0)) report.ok = false;
  return report;
}

}  // namespace graft::testing
