#include "engine/backend/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {

constexpr Activation kActivations[] = {Activation::relu6, Activation::silu, Activation::sigmoid};
const char* const kNames[] = {"relu6", "silu", "sigmoid"};

class ActivationTest : public KernelTest {
 protected:
  /// Far below zero results are subnormal, and off by a step of the coarser dtype.
  static std::vector<double> bound(double roundings, const std::vector<double>& exact) {
    std::vector<double> result = times(roundings * kF32Roundoff, exact);
    for (double& value : result) value = std::abs(value) + 0x1p-133;
    return result;
  }

  void compare(Activation activation, const Pair& x) {
    const Pair y = output(x.tested.shape(), dtype());
    backend().activation_forward(activation, x.tested, y.tested);
    oracle().activation_forward(activation, x.exact, y.exact);
    const std::vector<double> y_bound = bound(8.0, values_of(y.exact));
    expect_close("y", y, y_bound);

    const Pair dy = normal(x.tested.shape(), dtype());
    const Pair dx = output(x.tested.shape(), dtype());
    backend().activation_backward(activation, x.tested, dy.tested, dx.tested);
    oracle().activation_backward(activation, x.exact, dy.exact, dx.exact);
    const std::vector<double> dx_bound = bound(12.0, gradient_magnitude(activation, x, dy));
    expect_close("dx", dx, dx_bound);

    const Pair over_x = {x.tested, dx.exact};
    const Pair over_dy = {dy.tested, dx.exact};
    const Tensor kept = backend().empty(x.tested.shape(), dtype());
    backend().copy(x.tested, kept);
    const Tensor kept_dy = backend().empty(x.tested.shape(), dtype());
    backend().copy(dy.tested, kept_dy);
    backend().activation_backward(activation, x.tested, dy.tested, dy.tested);
    expect_close("dx over dy", over_dy, dx_bound);
    backend().activation_backward(activation, x.tested, kept_dy, x.tested);
    expect_close("dx over x", over_x, dx_bound);
    backend().activation_forward(activation, kept, kept);
    expect_close("y over x", {kept, y.exact}, y_bound);
  }

  /// The sum of the magnitudes of what dx is made of: silu's s (1 + x (1 - s)) changes its sign.
  std::vector<double> gradient_magnitude(Activation activation, const Pair& x, const Pair& dy) {
    const std::vector<double> xs = values_of(x.exact);
    std::vector<double> result = values_of(dy.exact);
    for (std::size_t i = 0; i < result.size(); ++i) {
      const double s = 1.0 / (1.0 + std::exp(-xs[i]));
      const double c = 1.0 / (1.0 + std::exp(xs[i]));
      if (activation == Activation::silu) result[i] *= s * (1.0 + std::abs(xs[i]) * c);
      if (activation == Activation::sigmoid) result[i] *= s * c;
    }
    return result;
  }
};

}  // namespace

TEST_P(ActivationTest, ForwardAndBackward) {
  struct Layout {
    Shape shape;
    bool misaligned = false;
  };
  for (const auto& [shape, misaligned] :
       {Layout{{1}}, Layout{{0}}, Layout{{7}}, Layout{{2, 9, 11, 13}}, Layout{{5, 0, 3}}, Layout{{8193}},
        Layout{{40000}}, Layout{{1}, true}, Layout{{3, 5, 7}, true}, Layout{{4097}, true}}) {
    misalign(misaligned);
    for (std::size_t i = 0; i < std::size(kActivations); ++i) {
      SCOPED_TRACE(std::string(kNames[i]) + " of " + shape.str());
      compare(kActivations[i], normal(shape, dtype(), 0.0, 4.0));
    }
  }
}

TEST_P(ActivationTest, FarFromZero) {
  std::vector<double> values;
  for (double x = -120.0; x <= 120.0; x += 0.375) values.push_back(x);
  for (const double x : {1e4, -1e4, 3e38, -3e38, 1e-30, -1e-30}) values.push_back(x);
  for (std::size_t i = 0; i < std::size(kActivations); ++i) {
    SCOPED_TRACE(kNames[i]);
    compare(kActivations[i], of(values, {static_cast<std::int64_t>(values.size())}, dtype()));
  }
}

TEST_P(ActivationTest, AtTheirRimsAndNan) {
  const double inf = INFINITY;
  const std::vector<double> values = {0.0, -0.0, 6.0, 5.96875, 6.03125, inf, -inf, NAN, 1.0};
  for (std::size_t i = 0; i < std::size(kActivations); ++i) {
    SCOPED_TRACE(kNames[i]);
    const Pair x = of(values, {9}, dtype());
    const Pair dy = of({2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, NAN}, {9}, dtype());
    const Pair y = output({9}, dtype());
    const Pair dx = output({9}, dtype());
    backend().activation_forward(kActivations[i], x.tested, y.tested);
    oracle().activation_forward(kActivations[i], x.exact, y.exact);
    expect_close("y", y, 8.0 * kF32Roundoff * 6.0);
    backend().activation_backward(kActivations[i], x.tested, dy.tested, dx.tested);
    oracle().activation_backward(kActivations[i], x.exact, dy.exact, dx.exact);
    expect_close("dx", dx, 12.0 * kF32Roundoff * 6.0);
  }
}

// What the contract says of single points, from nobody's kernel.
TEST_P(ActivationTest, KnownValues) {
  const Pair x = of({-1.0, 0.0, 2.0, 7.0}, {4}, dtype());
  const Pair y = output({4}, dtype());
  const auto expect_values = [&](Activation activation, const std::vector<double>& wanted) {
    backend().activation_forward(activation, x.tested, y.tested);
    expect_close("y", {y.tested, of(wanted, {4}, DType::f32).exact}, 8.0 * kF32Roundoff * 7.0);
  };
  expect_values(Activation::relu6, {0.0, 0.0, 2.0, 6.0});
  expect_values(Activation::sigmoid, {0.2689414213699951, 0.5, 0.8807970779778825, 0.9990889488055994});
  expect_values(Activation::silu, {-0.2689414213699951, 0.0, 1.761594155955765, 6.993622641639196});
}

TEST_P(ActivationTest, RefusesWhatBreaksTheContract) {
  const Tensor x = backend().zeros({4}, dtype());
  const Tensor other = backend().zeros({5}, dtype());
  EXPECT_THROW(backend().activation_forward(Activation::silu, x, other), Error);
  EXPECT_THROW(backend().activation_forward(Activation::silu, x, {}), Error);
  EXPECT_THROW(backend().activation_forward(Activation::silu, x, backend().zeros({4}, DType::i32)), Error);
  EXPECT_THROW(backend().activation_backward(Activation::silu, x, other, x), Error);
  EXPECT_THROW(backend().activation_backward(Activation::silu, x, x, other), Error);
  const Tensor two = backend().zeros({8}, dtype());
  EXPECT_THROW(backend().activation_forward(Activation::silu, two.slice(0, 4), two.slice(1, 5)), Error);
}

INSTANTIATE_TEST_SUITE_P(Backends, ActivationTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
