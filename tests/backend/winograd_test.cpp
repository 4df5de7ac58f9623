#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/base/philox.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/winograd_plan.h"
#include "engine/reference/reference_backend.h"
#include "tests/backend/values.h"

// Both schedules of the Winograd kernels on shapes that the rule would not give them, at several thread counts, against
// the reference: conv_test sees only what the rule chooses.

namespace graft::testing {
namespace {

struct WinogradCase {
  std::string name;
  Shape x;
  std::int64_t outputs;
  Padding2d padding = Padding2d::same(1);
  bool bias = true;
};

std::vector<WinogradCase> winograd_cases() {
  return {{"one pixel", {1, 1, 1, 1}, 1},
          {"one tile", {1, 4, 4, 16}, 16},
          {"fewer tiles than threads", {2, 3, 4, 20}, 40, Padding2d::same(1), false},
          {"odd channels, odd image", {2, 9, 11, 35}, 33},
          {"three blocks in, five out", {3, 7, 7, 48}, 80},
          {"unpadded", {2, 10, 12, 16}, 32, {}},
          {"asymmetric padding", {1, 11, 6, 17}, 16, {0, 2, 1, 0}},
          {"padded by 2", {2, 5, 5, 32}, 16, Padding2d::same(2), false},
          {"several blocks of tiles", {5, 27, 30, 32}, 48},
          {"tall", {1, 70, 3, 16}, 16},
          {"many channels", {1, 6, 5, 130}, 144}};
}

/// A normal tensor on the CPU backend, rounded to `dtype`, and the same values in f64 on the oracle.
Pair normal(Backend& backend, Backend& oracle, const Shape& shape, DType dtype, std::uint64_t stream) {
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  const RandomStream random{.seed = 11, .stream = stream};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto words = random.words(0, i);
    values[i] = normal_pair(words[0], words[1])[0];
  }
  Pair pair{backend.empty(shape, dtype), oracle.empty(shape, DType::f64)};
  set_values(pair.tested, values);
  set_values(pair.exact, values_of(pair.tested));
  return pair;
}

Pair result(Backend& backend, Backend& oracle, const Shape& shape, DType dtype) {
  Pair pair{backend.empty(shape, dtype), oracle.empty(shape, DType::f64)};
  backend.fill(std::nan(""), pair.tested);
  return pair;
}

Tensor absolute(Backend& oracle, const Tensor& exact) {
  if (!exact.defined()) return {};
  std::vector<double> values = values_of(exact);
  for (double& value : values) value = std::abs(value);
  const Tensor magnitude = oracle.empty(exact.shape(), DType::f64);
  set_values(magnitude, values);
  return magnitude;
}

/// As conv_test's bound: K eps |x| * |w| with the magnitude as a norm over the result, times the transforms' growth.
double bound(std::int64_t terms, const Tensor& magnitudes) {
  return 4.0 * static_cast<double>(terms + 1) * kF32Roundoff * largest(values_of(magnitudes));
}

struct WinogradParam {
  WinogradSchedule schedule;
  DType dtype;
  int threads;
};

class WinogradTest : public ::testing::TestWithParam<WinogradParam> {
 protected:
  void SetUp() override {
    ConvProblem any{.x = {1, 4, 4, 1}, .w = {1, 3, 3, 1}, .y = {1, 2, 2, 1}};
    if (!winograd_covers(any)) GTEST_SKIP() << "this processor has no AVX-512";
  }

  ConvProblem problem_of(const WinogradCase& c, ConvKind kind) const {
    ConvProblem problem;
    problem.kind = kind;
    problem.dtype = GetParam().dtype;
    problem.x = c.x;
    problem.w = {c.outputs, 3, 3, c.x[3]};
    problem.options.window.padding = c.padding;
    problem.options.relu = c.bias && kind == ConvKind::forward;
    problem.y = conv2d_output_shape(problem.x, problem.w, problem.options);
    problem.bias = c.bias && kind != ConvKind::backward_data;
    return problem;
  }

  void run(const ConvProblem& problem, const PlanPointers& pointers) {
    cpu_.enter();
    ASSERT_TRUE(winograd_covers(problem)) << problem.str();
    const auto plan = make_winograd_plan(problem, GetParam().schedule);
    const Tensor scratch = cpu_.scratch(plan->scratch_bytes());
    std::fill_n(static_cast<std::uint8_t*>(scratch.raw()), scratch.nbytes(), std::uint8_t{0xff});
    plan->run(pointers, scratch.raw());
  }

  CpuBackend cpu_{BackendOptions{.threads = GetParam().threads}};
  std::unique_ptr<Backend> oracle_ = make_reference_backend({});
};

TEST_P(WinogradTest, Forward) {
  for (const WinogradCase& c : winograd_cases()) {
    for (const ConvResidual residual : {ConvResidual::none, ConvResidual::apart, ConvResidual::in_place}) {
      SCOPED_TRACE(c.name + ", residual " + std::to_string(static_cast<int>(residual)));
      ConvProblem problem = problem_of(c, ConvKind::forward);
      problem.residual = residual;
      const bool added = residual != ConvResidual::none;
      const Pair x = normal(cpu_, *oracle_, problem.x, problem.dtype, 1);
      const Pair w = normal(cpu_, *oracle_, problem.w, problem.dtype, 2);
      const Pair bias = c.bias ? normal(cpu_, *oracle_, {c.outputs}, DType::f32, 3) : Pair{};
      const Pair before = added ? normal(cpu_, *oracle_, problem.y, problem.dtype, 8) : Pair{};
      Pair y = result(cpu_, *oracle_, problem.y, problem.dtype);
      if (residual == ConvResidual::in_place) y.tested = before.tested;
      const Tensor magnitudes = oracle_->empty(problem.y, DType::f64);
      oracle_->conv2d_forward(absolute(*oracle_, x.exact), absolute(*oracle_, w.exact), absolute(*oracle_, bias.exact),
                              absolute(*oracle_, before.exact), problem.options, {}, magnitudes);
      oracle_->conv2d_forward(x.exact, w.exact, bias.exact, before.exact, problem.options, {}, y.exact);
      run(problem, {x.tested.raw(), w.tested.raw(), bias.tested.raw(), y.tested.raw(), before.tested.raw()});
      expect_close("y", y, bound(9 * c.x[3] + (added ? 1 : 0), magnitudes));
    }
  }
}

TEST_P(WinogradTest, BackwardData) {
  for (const WinogradCase& c : winograd_cases()) {
    SCOPED_TRACE(c.name);
    const ConvProblem problem = problem_of(c, ConvKind::backward_data);
    const Pair dy = normal(cpu_, *oracle_, problem.y, problem.dtype, 4);
    const Pair w = normal(cpu_, *oracle_, problem.w, problem.dtype, 5);
    const Pair dx = result(cpu_, *oracle_, problem.x, problem.dtype);
    run(problem, {dy.tested.raw(), w.tested.raw(), nullptr, dx.tested.raw()});
    const Tensor magnitudes = oracle_->empty(problem.x, DType::f64);
    oracle_->conv2d_backward_data(absolute(*oracle_, dy.exact), absolute(*oracle_, w.exact), problem.options, {},
                                  magnitudes);
    oracle_->conv2d_backward_data(dy.exact, w.exact, problem.options, {}, dx.exact);
    expect_close("dx", dx, bound(9 * c.outputs, magnitudes));
  }
}

TEST_P(WinogradTest, BackwardWeights) {
  for (const WinogradCase& c : winograd_cases()) {
    SCOPED_TRACE(c.name);
    const ConvProblem problem = problem_of(c, ConvKind::backward_weights);
    const Pair x = normal(cpu_, *oracle_, problem.x, problem.dtype, 6);
    const Pair dy = normal(cpu_, *oracle_, problem.y, problem.dtype, 7);
    const Pair dw = result(cpu_, *oracle_, problem.w, DType::f32);
    const Pair dbias = c.bias ? result(cpu_, *oracle_, {c.outputs}, DType::f32) : Pair{};
    run(problem, {x.tested.raw(), dy.tested.raw(), dbias.tested.raw(), dw.tested.raw()});
    const Tensor magnitudes = oracle_->empty(problem.w, DType::f64);
    const Tensor bias_magnitudes = c.bias ? oracle_->empty({c.outputs}, DType::f64) : Tensor{};
    oracle_->conv2d_backward_weights(absolute(*oracle_, x.exact), absolute(*oracle_, dy.exact), problem.options, {},
                                     magnitudes, bias_magnitudes);
    oracle_->conv2d_backward_weights(x.exact, dy.exact, problem.options, {}, dw.exact, dbias.exact);
    const std::int64_t terms = problem.y.numel() / c.outputs;
    expect_close("dw", dw, bound(terms, magnitudes));
    if (c.bias) expect_close("dbias", dbias, bound(terms, bias_magnitudes));
  }
}

std::vector<WinogradParam> params() {
  std::vector<WinogradParam> result;
  for (const WinogradSchedule schedule : {WinogradSchedule::by_tiles, WinogradSchedule::by_channels}) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      for (const int threads : {1, 3}) result.push_back({schedule, dtype, threads});
    }
  }
  return result;
}

INSTANTIATE_TEST_SUITE_P(Schedules, WinogradTest, ::testing::ValuesIn(params()), [](const auto& param) {
  const WinogradParam& p = param.param;
  return std::string(p.schedule == WinogradSchedule::by_tiles ? "tiles_" : "channels_") +
         std::string(name_of(p.dtype)) + "_" + std::to_string(p.threads) + "threads";
});

}  // namespace
}  // namespace graft::testing
