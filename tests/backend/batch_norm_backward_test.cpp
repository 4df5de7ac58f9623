#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {

/// Which of the optional gradients are asked for, and whether the forward had a ReLU or ReLU6.
struct Variant {
  bool relu;
  bool dresidual;
  bool parameters;
  bool relu6 = false;
  std::string name() const {
    return std::string(relu ? "relu " : "") + (relu6 ? "relu6 " : "") + (dresidual ? "dresidual " : "") +
           (parameters ? "dscale dshift" : "");
  }
};

const std::vector<Variant> kVariants = {{false, false, true},      {true, true, true},        {true, false, false},
                                        {false, true, false},      {true, false, true},       {true, true, false},
                                        {false, true, true, true}, {false, false, true, true}};

const std::vector<Shape> kShapes = {{2, 7, 5, 16}, {3, 5, 5, 13},  {2, 9, 9, 1},  {2, 3, 3, 130},
                                    {33, 10},      {1, 64, 40, 8}, {1, 1, 1, 24}, {1, 1},
                                    {0, 4, 4, 6},  {2, 4, 4, 0},   {2, 5, 7, 24}};
/// Of these the last is taken misaligned.
const Shape kMisaligned = {2, 5, 7, 24};

/// What one backward call reads and writes. `second` is the inverse deviation (train) or the variance (eval).
struct Call {
  Pair dy, x, y, scale, mean, second;
  Pair dx, dresidual, dscale, dshift;
  BatchNormOptions options;
};

class BatchNormBackwardTest : public KernelTest {
 protected:
  Call call(const Shape& shape, const Variant& variant, bool train) {
    const Shape channels{shape[-1]};
    Call c{.dy = normal(shape, dtype()),
           .x = normal(shape, dtype(), 1.0, 2.0),
           .y = {},
           .scale = normal(channels, DType::f32, 1.0, 0.3),
           .mean = normal(channels, DType::f32, 1.0, 0.1),
           .second = normal(channels, DType::f32, 0.5, 0.02),
           .dx = output(shape, dtype()),
           .dresidual = variant.dresidual ? output(shape, dtype()) : Pair{},
           .dscale = variant.parameters ? output(channels, DType::f32) : Pair{},
           .dshift = variant.parameters ? output(channels, DType::f32) : Pair{},
           .options = {.relu = variant.relu, .relu6 = variant.relu6}};
    if (train) save_statistics(c);
    if (c.options.rectifies()) {
      c.y = normal(shape, dtype(), 2.0, 4.0);
      std::vector<double> y = values_of(c.y.exact);
      for (double& value : y) value = std::clamp(value, 0.0, c.options.ceiling());
      c.y = of(y, shape, dtype());
    }
    return c;
  }

  Tensor norm_scratch(const Call& c) {
    return scratch(backend().batch_norm_scratch_bytes(c.x.tested.shape(), dtype()));
  }

  void run_train(const Call& c, const Tensor& dx) {
    backend().batch_norm_train_backward(c.dy.tested, c.x.tested, c.y.tested, c.scale.tested, c.mean.tested,
                                        c.second.tested, c.options, norm_scratch(c), dx, c.dresidual.tested,
                                        c.dscale.tested, c.dshift.tested);
  }

  void run_eval(const Call& c, const Tensor& dx) {
    backend().batch_norm_eval_backward(c.dy.tested, c.x.tested, c.y.tested, c.scale.tested, c.mean.tested,
                                       c.second.tested, c.options, norm_scratch(c), dx, c.dresidual.tested,
                                       c.dscale.tested, c.dshift.tested);
  }

  /// Compares all gradients with the oracle's, which are in the exact halves by now.
  static void compare(const Call& c, bool train);

 private:
  /// Mean and inverse deviation as the oracle saves them for this x, rounded to f32.
  void save_statistics(Call& c) {
    const Shape channels = c.scale.exact.shape();
    const Tensor y = like(c.x.exact);
    const Tensor mean = like(c.mean.exact);
    const Tensor inverse = like(c.mean.exact);
    oracle().batch_norm_train(c.x.exact, {}, c.scale.exact, c.scale.exact, {}, {}, {}, {}, y, mean, inverse);
    c.mean = of(values_of(mean), channels, DType::f32);
    c.second = of(values_of(inverse), channels, DType::f32);
  }
};

void BatchNormBackwardTest::compare(const Call& c, bool train) {
  std::vector<double> dy = values_of(c.dy.exact);
  const std::vector<double> y = c.options.rectifies() ? values_of(c.y.exact) : std::vector<double>();
  for (std::size_t i = 0; i < y.size(); ++i) dy[i] = y[i] > 0.0 && y[i] < c.options.ceiling() ? dy[i] : 0.0;
  const std::vector<double> x = values_of(c.x.exact);
  const std::vector<double> scale = values_of(c.scale.exact);
  const std::vector<double> mean = values_of(c.mean.exact);
  std::vector<double> inverse = values_of(c.second.exact);
  if (!train) {
    for (double& value : inverse) value = 1.0 / std::sqrt(value + c.options.eps);
  }
  const std::size_t channels = scale.size();
  const double rows = x.empty() ? 1.0 : static_cast<double>(x.size() / channels);

  // Sums of |terms|, with |x| + |mean| in the place of x - mean, whose rounding is as large as those.
  std::vector<double> scale_sum(channels);
  std::vector<double> shift_sum(channels);
  const auto normalised = [&](std::size_t i) {
    return (std::abs(x[i]) + std::abs(mean[i % channels])) * inverse[i % channels];
  };
  for (std::size_t i = 0; i < x.size(); ++i) {
    scale_sum[i % channels] += std::abs(dy[i]) * normalised(i);
    shift_sum[i % channels] += std::abs(dy[i]);
  }
  std::vector<double> dx_bound(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t channel = i % channels;
    double magnitude = 8.0 * std::abs(dy[i]);
    if (train) magnitude += (rows + 8.0) * (shift_sum[channel] + normalised(i) * scale_sum[channel]) / rows;
    dx_bound[i] = kF32Roundoff * std::abs(scale[channel]) * inverse[channel] * magnitude;
  }
  expect_close("dx", c.dx, dx_bound);
  if (c.dresidual.tested.defined()) expect_close("dresidual", c.dresidual, 0.0);
  if (!c.dscale.tested.defined()) return;
  expect_close("dscale", c.dscale, times((rows + 8.0) * kF32Roundoff, scale_sum));
  expect_close("dshift", c.dshift, times((rows + 8.0) * kF32Roundoff, shift_sum));
}

}  // namespace

TEST_P(BatchNormBackwardTest, Train) {
  for (const Shape& shape : kShapes) {
    for (const Variant& variant : kVariants) {
      SCOPED_TRACE(shape.str() + " " + variant.name());
      misalign(shape == kMisaligned);
      const Call c = call(shape, variant, true);
      run_train(c, c.dx.tested);
      oracle().batch_norm_train_backward(c.dy.exact, c.x.exact, c.y.exact, c.scale.exact, c.mean.exact, c.second.exact,
                                         c.options, {}, c.dx.exact, c.dresidual.exact, c.dscale.exact, c.dshift.exact);
      compare(c, true);
      run_train(c, c.dy.tested);
      EXPECT_EQ(bytes_of(c.dy.tested), bytes_of(c.dx.tested)) << "dx over dy differs from dx";
    }
  }
}

TEST_P(BatchNormBackwardTest, Eval) {
  for (const Shape& shape : kShapes) {
    for (const Variant& variant : kVariants) {
      SCOPED_TRACE(shape.str() + " " + variant.name());
      misalign(shape == kMisaligned);
      const Call c = call(shape, variant, false);
      run_eval(c, c.dx.tested);
      oracle().batch_norm_eval_backward(c.dy.exact, c.x.exact, c.y.exact, c.scale.exact, c.mean.exact, c.second.exact,
                                        c.options, {}, c.dx.exact, c.dresidual.exact, c.dscale.exact, c.dshift.exact);
      compare(c, false);
      run_eval(c, c.dy.tested);
      EXPECT_EQ(bytes_of(c.dy.tested), bytes_of(c.dx.tested)) << "dx over dy differs from dx";
    }
  }
}

TEST_P(BatchNormBackwardTest, EvalWithoutDx) {
  const Call c = call({2, 5, 5, 12}, {true, true, true}, false);
  run_eval(c, {});
  oracle().batch_norm_eval_backward(c.dy.exact, c.x.exact, c.y.exact, c.scale.exact, c.mean.exact, c.second.exact,
                                    c.options, {}, c.dx.exact, c.dresidual.exact, c.dscale.exact, c.dshift.exact);
  set_values(c.dx.tested, values_of(c.dx.exact));
  compare(c, false);
}

INSTANTIATE_TEST_SUITE_P(Backends, BatchNormBackwardTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
