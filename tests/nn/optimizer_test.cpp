#include "engine/optim/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/base/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/reference/reference_backend.h"
#include "tests/nn/optimizer_expectations.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

using Make = std::function<std::unique_ptr<Optimizer>(std::vector<NamedVariable>)>;

struct Case {
  std::string name;
  Make make;
  double max_norm;
  const std::vector<double>* expected;
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

Make sgd(const SgdOptions& options) {
  return [options](std::vector<NamedVariable> parameters) { return make_sgd(std::move(parameters), options); };
}
Make adamw(const AdamWOptions& options) {
  return [options](std::vector<NamedVariable> parameters) { return make_adamw(std::move(parameters), options); };
}

// The start and the gradients of optimizer_expectations.py.
std::vector<NamedVariable> start(Backend& backend, DType dtype) {
  return {{"a", Variable(from_host(backend, {3}, dtype, {0.1 * 1, 0.1 * 2, 0.1 * 3}), true)},
          {"b", Variable(from_host(backend, {2, 2}, dtype, {0.1 * 1, 0.1 * 2, 0.1 * 3, 0.1 * 4}), true)}};
}

void set_gradients(std::vector<NamedVariable>& parameters, int step) {
  for (std::size_t number = 0; number < parameters.size(); ++number) {
    Variable& variable = parameters[number].variable;
    std::vector<double> gradient(static_cast<std::size_t>(variable.value().numel()));
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] = std::cos(0.7 * step + 0.3 * static_cast<double>(i) + static_cast<double>(number));
    }
    variable.accumulate_grad(from_host(variable.backend(), variable.shape(), variable.dtype(), gradient));
  }
}

std::vector<double> values_of(const std::vector<NamedVariable>& variables) {
  std::vector<double> all;
  for (const auto& [name, variable] : variables) {
    const std::vector<double> values = to_host(variable.value());
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

void take_steps(Optimizer& optimizer, std::vector<NamedVariable>& parameters, int first, int last, double max_norm) {
  for (int step = first; step < last; ++step) {
    set_gradients(parameters, step);
    optimizer.step(0.1 / (step + 1), max_norm);
  }
}

class AgainstPyTorch : public ::testing::TestWithParam<Case> {
 protected:
  void expect_close(Backend& backend, DType dtype, double epsilon) {
    std::vector<NamedVariable> parameters = start(backend, dtype);
    const auto optimizer = GetParam().make(parameters);
    take_steps(*optimizer, parameters, 0, 5, GetParam().max_norm);
    const std::vector<double> values = values_of(parameters);
    ASSERT_EQ(values.size(), GetParam().expected->size());
    // Values and updates are below 1; five steps round less than ten times each.
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_NEAR(values[i], (*GetParam().expected)[i], 50 * epsilon) << "element " << i;
    }
  }
};

TEST_P(AgainstPyTorch, InF64OnTheReference) {
  ReferenceBackend backend;
  expect_close(backend, DType::f64, std::numeric_limits<double>::epsilon());
}

TEST_P(AgainstPyTorch, InF32OnTheCpu) {
  const auto backend = make_cpu_backend({});
  expect_close(*backend, DType::f32, std::numeric_limits<float>::epsilon());
}

// Three steps, state carried over through state(), two more: the bits of five steps in one go.
TEST_P(AgainstPyTorch, GoesOnFromItsState) {
  ReferenceBackend backend;
  std::vector<NamedVariable> straight = start(backend, DType::f64);
  const auto whole = GetParam().make(straight);
  take_steps(*whole, straight, 0, 5, GetParam().max_norm);

  std::vector<NamedVariable> resumed = start(backend, DType::f64);
  const auto before = GetParam().make(resumed);
  take_steps(*before, resumed, 0, 3, GetParam().max_norm);
  const auto after = GetParam().make(resumed);
  const std::vector<NamedVariable> saved = before->state();
  std::vector<NamedVariable> restored = after->state();
  ASSERT_EQ(saved.size(), restored.size());
  for (std::size_t i = 0; i < saved.size(); ++i) {
    EXPECT_EQ(saved[i].name, restored[i].name);
    const Tensor& value = saved[i].variable.value();
    restored[i].variable.set_value(from_host(backend, value.shape(), value.dtype(), to_host(value)));
  }
  take_steps(*after, resumed, 3, 5, GetParam().max_norm);
  EXPECT_EQ(values_of(resumed), values_of(straight));
  EXPECT_EQ(to_host(after->step_tensor()), std::vector<double>{5});
}

INSTANTIATE_TEST_SUITE_P(
    Cases, AgainstPyTorch,
    ::testing::Values(
        Case{"sgd", sgd({}), 0.0, &kSgd},
        Case{"sgd_momentum", sgd({.momentum = 0.9, .weight_decay = 0.01}), 0.0, &kSgdMomentum},
        Case{"sgd_nesterov", sgd({.momentum = 0.8, .weight_decay = 0.02, .nesterov = true}), 0.0, &kSgdNesterov},
        Case{"sgd_clipped", sgd({.momentum = 0.9}), 0.5, &kSgdClipped}, Case{"adamw", adamw({}), 0.0, &kAdamW},
        Case{"adamw_decay", adamw({.beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6, .weight_decay = 0.1}), 0.0, &kAdamWDecay},
        Case{"adamw_clipped", adamw({}), 0.5, &kAdamWClipped}),
    [](const auto& test) { return test.param.name; });

class OptimizerTest : public ::testing::Test {
 protected:
  ReferenceBackend backend_;
  std::vector<NamedVariable> parameters_ = start(backend_, DType::f64);
};

// The formulas by hand for one parameter of one element, apart from any other implementation.
TEST_F(OptimizerTest, FollowsTheFormulasByHand) {
  Variable p(from_host(backend_, {1}, DType::f64, {2.0}), true);
  const auto momentum = make_sgd({{"p", p}}, {.momentum = 0.9, .weight_decay = 0.1, .nesterov = true});
  double value = 2.0;
  double velocity = 0.0;
  for (const double gradient : {1.0, -0.5, 0.25}) {
    p.accumulate_grad(from_host(backend_, {1}, DType::f64, {gradient}));
    momentum->step(0.01);
    const double g = gradient + 0.1 * value;
    velocity = 0.9 * velocity + g;
    value -= 0.01 * (g + 0.9 * velocity);
  }
  EXPECT_NEAR(to_host(p.value())[0], value, 1e-15);

  Variable q(from_host(backend_, {1}, DType::f64, {2.0}), true);
  const auto adam = make_adamw({{"q", q}}, {.weight_decay = 0.1});
  value = 2.0;
  double first = 0.0;
  double second = 0.0;
  int step = 0;
  for (const double gradient : {1.0, -0.5, 0.25}) {
    ++step;
    q.accumulate_grad(from_host(backend_, {1}, DType::f64, {gradient}));
    adam->step(0.01);
    first = 0.9 * first + 0.1 * gradient;
    second = 0.999 * second + 0.001 * gradient * gradient;
    value *= 1 - 0.01 * 0.1;
    value -= 0.01 * (first / (1 - std::pow(0.9, step))) / (std::sqrt(second / (1 - std::pow(0.999, step))) + 1e-8);
  }
  EXPECT_NEAR(to_host(q.value())[0], value, 1e-14);
}

TEST_F(OptimizerTest, LeavesFrozenParametersAndThoseWithoutGradientAlone) {
  parameters_.push_back({"frozen", Variable(from_host(backend_, {1}, DType::f64, {7.0}))});
  const auto optimizer = make_sgd(parameters_, {.momentum = 0.9, .weight_decay = 0.1});
  EXPECT_EQ(optimizer->state().size(), 3u) << "the step and two momenta";
  const std::vector<double> a = to_host(parameters_[0].variable.value());
  const std::vector<double> b = to_host(parameters_[1].variable.value());
  parameters_[0].variable.accumulate_grad(from_host(backend_, {3}, DType::f64, {1, 1, 1}));
  optimizer->step(0.1);
  EXPECT_NE(to_host(parameters_[0].variable.value()), a);
  EXPECT_EQ(to_host(parameters_[1].variable.value()), b);
  EXPECT_EQ(to_host(parameters_[2].variable.value()), std::vector<double>{7.0});
  EXPECT_FALSE(parameters_[0].variable.grad().defined()) << "gradients are cleared";
}

TEST_F(OptimizerTest, DropsConvertedValuesOfWhatItChanges) {
  const auto optimizer = make_sgd(parameters_, {});
  Variable& a = parameters_[0].variable;
  a.value_as(DType::f32);
  a.accumulate_grad(from_host(backend_, {3}, DType::f64, {1, 1, 1}));
  optimizer->step(0.5);
  const std::vector<double> converted = to_host(a.value_as(DType::f32));
  EXPECT_NEAR(converted[0], -0.4, 1e-7);
}

TEST_F(OptimizerTest, RefusesSettingsThatMakeNoSense) {
  EXPECT_THROW(make_sgd(parameters_, {.momentum = -0.1}), Error);
  EXPECT_THROW(make_sgd(parameters_, {.nesterov = true}), Error);
  EXPECT_THROW(make_adamw(parameters_, {.beta2 = 1.0}), Error);
  EXPECT_THROW(make_sgd({{"frozen", Variable(backend_.zeros({1}, DType::f64))}}, {}), Error);
  parameters_.push_back({"narrow", Variable(backend_.zeros({1}, DType::f32), true)});
  EXPECT_THROW(make_sgd(parameters_, {}), Error);
}

}  // namespace
}  // namespace graft::testing
