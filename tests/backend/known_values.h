#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

// Small examples whose results were computed with PyTorch in f64 (torch.nn.functional and torch.optim). The other tests
// compare a backend with the reference; these hold the reference itself to numbers that are not its own.

namespace graft::testing {

using Values = std::vector<double>;

/// Numbers in eighths, exact in every dtype, in an order that no transposition leaves alone.
inline Values sevens(std::int64_t count) {
  Values values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<double>((i * 7 + 3) % 11 - 5) / 8.0);
  return values;
}
inline Values fives(std::int64_t count) {
  Values values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<double>((i * 5 + 2) % 13 - 6) / 8.0);
  return values;
}

inline Values affine(double factor, double offset, Values values) {
  for (double& value : values) value = factor * value + offset;
  return values;
}

class KnownValuesTest : public KernelTest {
 protected:
  Tensor in(const Shape& shape, const Values& values) { return of(values, shape, dtype()).tested; }
  Tensor out(const Shape& shape) { return output(shape, dtype()).tested; }

  /// No example rounds more than 64 times on the way to a value.
  void expect(const std::string& what, const Tensor& tested, const Values& known) {
    const Tensor exact = oracle().empty(tested.shape(), DType::f64);
    set_values(exact, known);
    expect_close(what, {tested, exact}, 64.0 * roundoff(dtype()) * (1.0 + largest(known)));
  }

  /// Three steps on one parameter of three elements.
  template <class Step>
  void expect_after_three_steps(const Step& step, const Values& known) {
    const std::vector<Tensor> p = {in({3}, {1.0, -2.0, 0.5})};
    const std::vector<Tensor> first = {in({3}, {0.0, 0.0, 0.0})};
    const std::vector<Tensor> second = {in({3}, {0.0, 0.0, 0.0})};
    const Tensor number = of({1.0}, {1}, DType::i64).tested;
    for (int i = 0; i < 3; ++i) {
      const std::vector<Tensor> gradient = {in({3}, {0.5 * (i + 1), -0.25, 1.0 - i})};
      step(p, gradient, first, second, in({1}, {0.1}), number);
      backend().advance(number);
    }
    expect("parameter", p[0], known);
  }
};

/// Every backend in f32, and the reference in f64 too: there the bound is tight.
inline std::vector<KernelParam> known_values_params() {
  std::vector<KernelParam> result = kernel_params({DType::f32});
  result.push_back({backends_under_test().front(), DType::f64});
  return result;
}

}  // namespace graft::testing
