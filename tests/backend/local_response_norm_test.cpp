#include "engine/backend/local_response_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {

class LocalResponseNormTest : public KernelTest {
 protected:
  /// A power is off by its argument's relative error times beta, and by a few roundings times |beta log d|.
  static double roundings(const LrnOptions& options) { return static_cast<double>(options.size) + 40.0; }

  void compare(const Shape& shape, const LrnOptions& options) {
    const Pair x = normal(shape, dtype(), 0.0, 2.0);
    const Pair y = output(shape, dtype());
    backend().local_response_norm_forward(x.tested, options, y.tested);
    oracle().local_response_norm_forward(x.exact, options, y.exact);
    expect_close("y", y, times(roundings(options) * kF32Roundoff, values_of(absolute(y.exact))));

    const Pair dy = normal(shape, dtype());
    const Pair dx = output(shape, dtype());
    backend().local_response_norm_backward(dy.tested, x.tested, options, dx.tested);
    oracle().local_response_norm_backward(dy.exact, x.exact, options, dx.exact);
    expect_close("dx", dx, times(2.0 * roundings(options) * kF32Roundoff, magnitudes(dy, x, options, dx.exact)));
  }

  /// Both terms of dx by absolute value: with dy and -dy x summed as |dy x|. The gradient of |dy| at |x| is their
  /// difference, and dy d^-beta alone is the forward pass on 1.
  std::vector<double> magnitudes(const Pair& dy, const Pair& x, const LrnOptions& options, const Tensor& like_this) {
    const Tensor difference = like(like_this);
    oracle().local_response_norm_backward(absolute(dy.exact), absolute(x.exact), options, difference);
    std::vector<double> result = values_of(difference);
    const std::vector<double> x_values = values_of(x.exact);
    const std::vector<double> dy_values = values_of(dy.exact);
    const Tensor y = like(like_this);
    oracle().local_response_norm_forward(x.exact, options, y);
    const std::vector<double> y_values = values_of(y);
    for (std::size_t i = 0; i < result.size(); ++i) {
      const double power = x_values[i] == 0.0 ? 1.0 : y_values[i] / x_values[i];
      const double direct = std::abs(dy_values[i]) * power;
      result[i] = direct + std::abs(direct - result[i]);
    }
    return result;
  }
};

}  // namespace

TEST_P(LocalResponseNormTest, ForwardAndBackward) {
  const LrnOptions alexnet{.size = 5, .alpha = 1e-4, .beta = 0.75, .k = 1.0};
  const LrnOptions strong{.size = 5, .alpha = 2.0, .beta = 0.75, .k = 2.0};
  const LrnOptions other{.size = 3, .alpha = 0.7, .beta = 0.5, .k = 0.25};
  const LrnOptions even{.size = 4, .alpha = 1.5, .beta = 1.25, .k = 1.0};
  const LrnOptions single{.size = 1, .alpha = 1.0, .beta = 0.75, .k = 1.0};
  const LrnOptions wide{.size = 255, .alpha = 3.0, .beta = 0.75, .k = 1.0};
  for (const LrnOptions& options : {alexnet, strong, other, even, single, wide}) {
    for (const Shape& shape : {Shape{2, 5, 3, 16}, Shape{3, 7}, Shape{1, 1}, Shape{2, 1, 1, 3}, Shape{0, 4},
                               Shape{4, 0}, Shape{5}, Shape{3, 5, 5, 33}, Shape{2, 1500}}) {
      for (const bool misaligned : {false, true}) {
        SCOPED_TRACE(shape.str() + ", size " + std::to_string(options.size) + ", beta " + std::to_string(options.beta));
        misalign(misaligned);
        compare(shape, options);
      }
    }
  }
}

// Caffe's and PyTorch's formula by hand: one image position of three channels, windows of three.
TEST_P(LocalResponseNormTest, KnownValues) {
  const Pair x = of({1.0, 2.0, -3.0}, {1, 3}, dtype());
  const Pair y = output({1, 3}, dtype());
  const LrnOptions options{.size = 3, .alpha = 0.3, .beta = 2.0, .k = 1.0};
  backend().local_response_norm_forward(x.tested, options, y.tested);
  // d = 1 + 0.1 (1 + 4), 1 + 0.1 (1 + 4 + 9), 1 + 0.1 (4 + 9).
  const std::vector<double> wanted = {1.0 / (1.5 * 1.5), 2.0 / (2.4 * 2.4), -3.0 / (2.3 * 2.3)};
  const Pair exact = output({1, 3}, DType::f32);
  set_values(exact.exact, wanted);
  expect_close("y", {y.tested, exact.exact}, 40.0 * kF32Roundoff);
  // A window of two holds the channel before, as PyTorch's does.
  backend().local_response_norm_forward(x.tested, {.size = 2, .alpha = 0.2, .beta = 1.0, .k = 1.0}, y.tested);
  set_values(exact.exact, {1.0 / 1.1, 2.0 / 1.5, -3.0 / 2.3});
  expect_close("y", {y.tested, exact.exact}, 40.0 * kF32Roundoff);
}

TEST_P(LocalResponseNormTest, NanSpreadsOverItsWindowsOnly) {
  const Pair x = of({1.0, 1.0, NAN, 1.0, 1.0, 1.0}, {1, 6}, dtype());
  const Pair y = output({1, 6}, dtype());
  for (const double beta : {0.75, 0.5}) {
    backend().local_response_norm_forward(x.tested, {.size = 3, .alpha = 1.0, .beta = beta, .k = 1.0}, y.tested);
    const std::vector<double> values = values_of(y.tested);
    for (std::size_t c = 0; c < 6; ++c) EXPECT_EQ(std::isnan(values[c]), c >= 1 && c <= 3) << "channel " << c;
  }
}

TEST_P(LocalResponseNormTest, RefusesWhatBreaksTheContract) {
  const Tensor x = backend().zeros({2, 4}, dtype());
  const Tensor y = backend().zeros({2, 4}, dtype());
  const auto refused = [&](const LrnOptions& options, const Tensor& to) {
    EXPECT_THROW(backend().local_response_norm_forward(x, options, to), Error);
    EXPECT_THROW(backend().local_response_norm_backward(x, x, options, to), Error);
  };
  refused({.size = 0}, y);
  refused({.size = 256}, y);
  refused({.alpha = -1.0}, y);
  refused({.beta = -1.0}, y);
  refused({.k = 0.0}, y);
  refused({}, x);
  refused({}, {});
  refused({}, backend().zeros({2, 5}, dtype()));
}

INSTANTIATE_TEST_SUITE_P(Backends, LocalResponseNormTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
