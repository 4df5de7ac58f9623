#include "engine/ops/batch_norm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/gradient_check.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

enum class Rectifier { none, relu, relu6 };
using Case = std::tuple<BatchNormStatistics, Rectifier, bool>;  // statistics, activation, residual

class BatchNormGradient : public ::testing::TestWithParam<Case> {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend({});
  Tensor running_mean_ = from_host(*backend_, {3}, DType::f64, {0.1, -0.2, 0.3});
  Tensor running_var_ = from_host(*backend_, {3}, DType::f64, {0.5, 1.0, 2.0});

  Variable apply(const std::vector<Variable>& in) const {
    const auto [statistics, rectifier, residual] = GetParam();
    return batch_norm(in[0], residual ? in[3] : Variable(), in[1], in[2], running_mean_, running_var_, statistics,
                      {.eps = 1e-3, .relu = rectifier == Rectifier::relu, .relu6 = rectifier == Rectifier::relu6});
  }
};

TEST_P(BatchNormGradient, IsRightForEveryChoiceOfInputs) {
  const bool residual = std::get<2>(GetParam());
  const double stretch = std::get<1>(GetParam()) == Rectifier::relu6 ? 8.0 : 1.0;  // beyond 6
  for (int wanted = 1; wanted < (residual ? 16 : 8); ++wanted) {
    const Variable x = random_leaf(*backend_, {2, 2, 3, 3}, 11, wanted & 1);
    Variable scale = random_leaf(*backend_, {3}, 12, wanted & 2);
    std::vector<double> scales = to_host(scale.value());
    for (double& value : scales) value *= stretch;
    scale.set_value(from_host(*backend_, {3}, DType::f64, scales));
    const Variable shift = random_leaf(*backend_, {3}, 13, wanted & 4);
    const Variable added = random_leaf(*backend_, {2, 2, 3, 3}, 14, residual && (wanted & 8));
    const std::vector<Variable> inputs{x, scale, shift, added};
    const GradientReport report =
        check_gradients([this](const std::vector<Variable>& in) { return apply(in); }, inputs);
    if (stretch > 1.0) {
      const std::vector<double> y = to_host(apply(inputs).value());
      EXPECT_EQ(*std::max_element(y.begin(), y.end()), 6.0);
    }
    EXPECT_TRUE(report.ok) << "inputs " << wanted << ": " << report.str();
    for (const Variable& input : inputs) EXPECT_EQ(input.grad().defined(), input.requires_grad());
  }
}

TEST_P(BatchNormGradient, ChangesRunningStatisticsIffAsked) {
  const std::vector<double> mean = to_host(running_mean_);
  const std::vector<double> var = to_host(running_var_);
  std::vector<Variable> inputs{random_leaf(*backend_, {2, 2, 3, 3}, 1), random_leaf(*backend_, {3}, 2),
                               random_leaf(*backend_, {3}, 3), random_leaf(*backend_, {2, 2, 3, 3}, 4)};
  apply(inputs);
  const bool changes = std::get<0>(GetParam()) == BatchNormStatistics::batch_and_update;
  EXPECT_EQ(to_host(running_mean_) != mean, changes);
  EXPECT_EQ(to_host(running_var_) != var, changes);
}

INSTANTIATE_TEST_SUITE_P(All, BatchNormGradient,
                         ::testing::Combine(::testing::Values(BatchNormStatistics::batch_and_update,
                                                              BatchNormStatistics::batch, BatchNormStatistics::running),
                                            ::testing::Values(Rectifier::none, Rectifier::relu, Rectifier::relu6),
                                            ::testing::Bool()));

TEST(BatchNorm, RefusesWhatDoesNotFit) {
  const auto backend = make_reference_backend({});
  const Variable x = random_leaf(*backend, {2, 3}, 1);
  const Variable three = random_leaf(*backend, {3}, 2);
  const Variable four = random_leaf(*backend, {4}, 3);
  EXPECT_THROW(batch_norm(x, {}, four, three, {}, {}, BatchNormStatistics::batch, {}), Error);
  EXPECT_THROW(batch_norm(x, four, three, three, {}, {}, BatchNormStatistics::batch, {}), Error);
  EXPECT_THROW(batch_norm(x, {}, three, three, {}, {}, BatchNormStatistics::running, {}), Error);
  EXPECT_NO_THROW(batch_norm(x, {}, three, three, {}, {}, BatchNormStatistics::batch, {}));
}

}  // namespace
}  // namespace graft::testing
