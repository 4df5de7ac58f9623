#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {

/// A parameter group on both sides. Kernels take one span a side.
struct Group {
  std::vector<Tensor> tested;
  std::vector<Tensor> exact;
  Pair pair(std::size_t i) const { return {tested[i], exact[i]}; }
  std::size_t size() const { return tested.size(); }
};

const std::vector<Shape> kGroupShapes = {{1}, {7}, {64, 33}, {16, 3, 3, 5}, {0}, {20000}, {4097}, {8}};

double value_of(const Pair& scalar) { return values_of(scalar.exact)[0]; }

class OptimTest : public KernelTest {
 protected:
  Group group(double mean = 0.0, double deviation = 1.0) {
    Group result;
    for (const Shape& shape : shapes_) {
      misalign(result.size() % 3 == 2);
      const Pair pair = normal(shape, DType::f32, mean, deviation);
      result.tested.push_back(pair.tested);
      result.exact.push_back(pair.exact);
    }
    return result;
  }

  /// Squares: second moments are never negative.
  Group positive_group() {
    Group result = group();
    for (std::size_t i = 0; i < result.size(); ++i) {
      std::vector<double> values = values_of(result.exact[i]);
      for (double& value : values) value = value * value;
      set_values(result.tested[i], values);
      set_values(result.exact[i], values_of(result.tested[i]));
    }
    return result;
  }

  void set_shapes(const std::vector<Shape>& shapes) { shapes_ = shapes; }

  Pair scalar(double value) { return of({value}, {1}, DType::f32); }

  void compare_sgd(const SgdOptions& options, const Pair& gradient_scale) {
    const Group p = group();
    const Group g = group();
    const Group v = options.momentum == 0.0 ? Group{} : group();
    const Pair lr = scalar(0.1);
    std::vector<std::vector<double>> p_bound;
    std::vector<std::vector<double>> v_bound;
    const double factor = gradient_scale.exact.defined() ? std::abs(value_of(gradient_scale)) : 1.0;
    for (std::size_t t = 0; t < p.size(); ++t) {
      const std::vector<double> pv = values_of(p.exact[t]);
      const std::vector<double> gv = values_of(g.exact[t]);
      const std::vector<double> vv = v.exact.empty() ? std::vector<double>(pv.size()) : values_of(v.exact[t]);
      p_bound.emplace_back(pv.size());
      v_bound.emplace_back(pv.size());
      for (std::size_t i = 0; i < pv.size(); ++i) {
        const double gradient = factor * std::abs(gv[i]) + options.weight_decay * std::abs(pv[i]);
        const double velocity = options.momentum * std::abs(vv[i]) + gradient;
        // Each of at most eight operations rounds what is no larger than these sums of |terms|.
        v_bound[t][i] = 8.0 * kF32Roundoff * velocity;
        p_bound[t][i] = kF32Roundoff * (std::abs(pv[i]) + 8.0 * 0.1 * (gradient + (1.0 + options.momentum) * velocity));
      }
    }
    backend().sgd_step(p.tested, g.tested, v.tested, lr.tested, gradient_scale.tested, options);
    oracle().sgd_step(p.exact, g.exact, v.exact, lr.exact, gradient_scale.exact, options);
    for (std::size_t t = 0; t < p.size(); ++t) {
      expect_close("parameter " + std::to_string(t), p.pair(t), p_bound[t]);
      if (v.size() > 0) expect_close("velocity " + std::to_string(t), v.pair(t), v_bound[t]);
    }
  }

  void compare_clip(double size, double max_norm) {
    SCOPED_TRACE("gradients of " + std::to_string(size) + ", norm at most " + std::to_string(max_norm));
    const Group g = group(0.0, size);
    const Pair factor = output({1}, DType::f32);
    const Pair norm = output({1}, DType::f32);
    backend().clip_scale(g.tested, max_norm, scratch(backend().clip_scratch_bytes(g.tested)), factor.tested,
                         norm.tested);
    oracle().clip_scale(g.exact, max_norm, {}, factor.exact, norm.exact);
    double count = 8.0;
    for (const Tensor& gradient : g.tested) count += static_cast<double>(gradient.numel());
    // A sum of squares has relative error count eps, its root half of that.
    expect_close("norm", norm, count * kF32Roundoff * value_of(norm));
    expect_close("scale", factor, count * kF32Roundoff * value_of(factor));
  }

  void compare_adamw(double step_number, const AdamWOptions& options, const Pair& gradient_scale) {
    const Group p = group();
    const Group g = group();
    const Group m = group();
    const Group v = positive_group();
    const Pair lr = scalar(0.01);
    const Pair step = of({step_number}, {1}, DType::i64);
    const double factor = gradient_scale.exact.defined() ? std::abs(value_of(gradient_scale)) : 1.0;
    std::vector<std::vector<double>> moment_bound;
    for (std::size_t t = 0; t < p.size(); ++t) {
      moment_bound.push_back(values_of(m.exact[t]));
      const std::vector<double> gv = values_of(g.exact[t]);
      for (std::size_t i = 0; i < gv.size(); ++i) {
        moment_bound[t][i] =
            4.0 * kF32Roundoff *
            (options.beta1 * std::abs(moment_bound[t][i]) + (1.0 - options.beta1) * factor * std::abs(gv[i]));
      }
    }
    const std::vector<double> old = values_of(p.exact[2]);
    backend().adamw_step(p.tested, g.tested, m.tested, v.tested, lr.tested, step.tested, gradient_scale.tested,
                         options);
    oracle().adamw_step(p.exact, g.exact, m.exact, v.exact, lr.exact, step.exact, gradient_scale.exact, options);
    for (std::size_t t = 0; t < p.size(); ++t) {
      expect_close("first moment " + std::to_string(t), m.pair(t), moment_bound[t]);
      // A sum of terms of one sign: relative error throughout.
      expect_close("second moment " + std::to_string(t), v.pair(t), times(8.0 * kF32Roundoff, values_of(v.exact[t])));
      expect_close("parameter " + std::to_string(t), p.pair(t),
                   step_bound(p, m, v, t, moment_bound[t], step_number, options));
    }
  }

 private:
  std::vector<Shape> shapes_ = kGroupShapes;

  /// The update is lr (m / c1) / (sqrt(v / c2) + eps): the moment's error carried through, and a few roundings of the
  /// update and of p. Bias corrections in f32 would cancel (1 - .999^1 loses ten bits): they are taken as exact here.
  static std::vector<double> step_bound(const Group& p, const Group& m, const Group& v, std::size_t t,
                                        const std::vector<double>& moment_error, double step,
                                        const AdamWOptions& options) {
    std::vector<double> bound = values_of(p.exact[t]);
    const std::vector<double> mv = values_of(m.exact[t]);
    const std::vector<double> vv = values_of(v.exact[t]);
    const double c1 = 1.0 - std::pow(options.beta1, step);
    const double c2 = 1.0 - std::pow(options.beta2, step);
    for (std::size_t i = 0; i < bound.size(); ++i) {
      const double rate = 0.01 / c1 / (std::sqrt(vv[i] / c2) + options.eps);
      bound[i] =
          3.0 * kF32Roundoff * std::abs(bound[i]) + rate * (moment_error[i] + 16.0 * kF32Roundoff * std::abs(mv[i]));
    }
    return bound;
  }
};

}  // namespace

TEST_P(OptimTest, Sgd) {
  for (const double momentum : {0.0, 0.9}) {
    for (const double weight_decay : {0.0, 5e-4, 0.3}) {
      for (const bool nesterov : {false, true}) {
        SCOPED_TRACE("momentum " + std::to_string(momentum) + ", decay " + std::to_string(weight_decay));
        compare_sgd({.momentum = momentum, .weight_decay = weight_decay, .nesterov = nesterov}, {});
        compare_sgd({.momentum = momentum, .weight_decay = weight_decay, .nesterov = nesterov}, scalar(0.25));
      }
    }
  }
}

TEST_P(OptimTest, AdamW) {
  for (const double step : {1.0, 2.0, 10.0, 1000.0, 100000.0}) {
    SCOPED_TRACE("step " + std::to_string(step));
    compare_adamw(step, {}, {});
    compare_adamw(step, {.beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3, .weight_decay = 0.3}, scalar(0.25));
    compare_adamw(step, {.weight_decay = 0.0}, scalar(1.0));
  }
}

TEST_P(OptimTest, ManyTensors) {
  std::vector<Shape> shapes;
  for (std::int64_t t = 0; t < 600; ++t) shapes.push_back({t % 5});
  set_shapes(shapes);
  compare_sgd({.momentum = 0.9}, {});
  compare_adamw(10.0, {}, {});
  compare_clip(1.0, 1.0);
}

TEST_P(OptimTest, NoParameters) {
  const Pair lr = scalar(0.1);
  const Pair step = of({1.0}, {1}, DType::i64);
  backend().sgd_step({}, {}, {}, lr.tested, {}, {.momentum = 0.9});
  backend().adamw_step({}, {}, {}, {}, lr.tested, step.tested, {}, {});
}

TEST_P(OptimTest, ClipScale) {
  for (const double size : {1.0, 1e-6, 1e4}) {
    for (const double max_norm : {1.0, 100.0, 0.0}) compare_clip(size, max_norm);
  }
}

TEST_P(OptimTest, ClipScaleOfNothingZeroAndNan) {
  const Pair factor = output({1}, DType::f32);
  const Pair norm = output({1}, DType::f32);
  const auto clip = [&](std::vector<Tensor> gradients) {
    backend().clip_scale(gradients, 1.0, scratch(backend().clip_scratch_bytes(gradients)), factor.tested, norm.tested);
  };
  clip({});
  EXPECT_EQ(values_of(factor.tested)[0], 1.0);
  EXPECT_EQ(values_of(norm.tested)[0], 0.0);
  clip({of({0.0, 0.0}, {2}, DType::f32).tested});
  EXPECT_EQ(values_of(factor.tested)[0], 1.0);
  clip({of({1.0, NAN}, {2}, DType::f32).tested});
  EXPECT_TRUE(std::isnan(values_of(norm.tested)[0]));
  EXPECT_TRUE(std::isnan(values_of(factor.tested)[0])) << "a diverged step must not look like one that is not clipped";
  clip({of({1.0, INFINITY}, {2}, DType::f32).tested});
  EXPECT_EQ(values_of(factor.tested)[0], 0.0);
}

TEST_P(OptimTest, Advance) {
  const Pair counter = of({4294967295.0}, {1}, DType::i64);
  backend().advance(counter.tested);
  backend().advance(counter.tested);
  EXPECT_EQ(values_of(counter.tested)[0], 4294967297.0);
}

// Parameters, gradients and state are f32 in training of either dtype.
INSTANTIATE_TEST_SUITE_P(Backends, OptimTest, ::testing::ValuesIn(kernel_params({DType::f32})), kernel_param_name);

}  // namespace graft::testing
