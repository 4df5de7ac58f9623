#include "tests/ops/gradient_check.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/backend/registry.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

// y = x^3 elementwise, whose backward gives 3 x^2 dy times `factor` plus `offset`: right for 1 and 0 alone.
Variable cube(const Variable& x, double factor, double offset) {
  const std::vector<double> values = to_host(x.value());
  std::vector<double> cubes;
  for (const double value : values) cubes.push_back(value * value * value);
  return record("cube", from_host(x.backend(), x.shape(), DType::f64, cubes), {x},
                [values, factor, offset](const Tensor& dy, std::span<const bool>) {
                  std::vector<double> gradient = to_host(dy);
                  for (std::size_t i = 0; i < gradient.size(); ++i) {
                    gradient[i] = gradient[i] * 3 * values[i] * values[i] * factor + offset;
                  }
                  return std::vector<Tensor>{from_host(dy.backend(), dy.shape(), DType::f64, gradient)};
                });
}

GradientReport check_cube(double factor, double offset) {
  const auto backend = make_reference_backend({});
  return check_gradients([&](const std::vector<Variable>& x) { return cube(x[0], factor, offset); },
                         {random_leaf(*backend, {3, 5}, 1)});
}

TEST(GradientCheck, PassesTheRightBackward) {
  const GradientReport report = check_cube(1.0, 0.0);
  EXPECT_TRUE(report.ok) << report.str();
}

TEST(GradientCheck, CatchesAPlantedWrongBackward) {
  EXPECT_FALSE(check_cube(-1.0, 0.0).ok) << "a wrong sign";
  EXPECT_FALSE(check_cube(2.0 / 3.0, 0.0).ok) << "a wrong exponent";
  EXPECT_FALSE(check_cube(1.001, 0.0).ok) << "a thousandth too much";
  EXPECT_FALSE(check_cube(1.0, 1e-4).ok) << "an offset";
  EXPECT_FALSE(check_cube(0.0, 0.0).ok) << "no gradient at all";
  EXPECT_FALSE(check_cube(std::nan(""), 0.0).ok) << "not a number";
}

TEST(GradientCheck, ReportsTheElementAndBothValues) {
  const GradientReport report = check_cube(-1.0, 0.0);
  EXPECT_NEAR(report.backward, -report.numeric, 1e-6);
  EXPECT_NE(report.str().find("backward"), std::string::npos);
}

// Accepting a function whose gradient is all rounding would accept any backward.
TEST(GradientCheck, RefusesWhatItCannotTell) {
  const auto backend = make_reference_backend({});
  const auto flat = [](const std::vector<Variable>& x) {
    return record("flat", from_host(x[0].backend(), {1}, DType::f64, {1.0}), {x[0]},
                  [](const Tensor& dy, std::span<const bool>) {
                    return std::vector<Tensor>{dy.backend().zeros({2}, DType::f64)};
                  });
  };
  EXPECT_FALSE(check_gradients(flat, {random_leaf(*backend, {2}, 1)}).ok);
}

}  // namespace
}  // namespace graft::testing
