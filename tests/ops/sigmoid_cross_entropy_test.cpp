#include "engine/ops/sigmoid_cross_entropy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/base/error.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/gradient_check.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

class SigmoidCrossEntropy : public ::testing::Test {
 protected:
  ReferenceBackend backend_;
  Tensor targets_ = from_host(backend_, {2, 3}, DType::f64, {0.0, 1.0, -1.0, 0.25, 0.0, 1.0});
};

TEST_F(SigmoidCrossEntropy, GradientIsRight) {
  const auto op = [&](const std::vector<Variable>& in) { return sigmoid_cross_entropy(in[0], targets_); };
  const GradientReport report = check_gradients(op, {random_leaf(backend_, {2, 3}, 1)});
  EXPECT_TRUE(report.ok) << report.str();
}

// check_gradients walks from a given gradient; training walks from the implicit one.
TEST_F(SigmoidCrossEntropy, ImplicitOneIsOne) {
  Variable implicit = random_leaf(backend_, {2, 3}, 1);
  Variable given = random_leaf(backend_, {2, 3}, 1);
  backward(sigmoid_cross_entropy(implicit, targets_));
  backward(sigmoid_cross_entropy(given, targets_), from_host(backend_, {1}, DType::f64, {2.0}));
  const std::vector<double> once = to_host(implicit.grad());
  const std::vector<double> twice = to_host(given.grad());
  for (std::size_t i = 0; i < once.size(); ++i) EXPECT_EQ(2.0 * once[i], twice[i]) << "element " << i;
  EXPECT_EQ(once[2], 0.0) << "an ignored entry has a gradient";
}

TEST_F(SigmoidCrossEntropy, IsTheMeanOfTheDefinition) {
  const Variable logits = random_leaf(backend_, {2, 3}, 1);
  const std::vector<double> x = to_host(logits.value());
  const std::vector<double> t = to_host(targets_);
  double sum = 0.0;
  for (const std::size_t i : {0u, 1u, 3u, 4u, 5u}) {
    const double p = 1.0 / (1.0 + std::exp(-x[i]));
    sum -= t[i] * std::log(p) + (1.0 - t[i]) * std::log(1.0 - p);
  }
  EXPECT_NEAR(to_host(sigmoid_cross_entropy(logits, targets_).value())[0], sum / 5.0, 1e-14);
}

TEST_F(SigmoidCrossEntropy, RefusesWhatDoesNotFit) {
  const Variable logits = random_leaf(backend_, {2, 3}, 1);
  EXPECT_THROW(sigmoid_cross_entropy(logits, backend_.zeros({3, 2}, DType::f64)), Error);
  EXPECT_THROW(sigmoid_cross_entropy(logits, backend_.zeros({2, 3}, DType::f32)), Error);
  EXPECT_THROW(sigmoid_cross_entropy(logits, {}), Error);
  EXPECT_THROW(sigmoid_cross_entropy(random_leaf(backend_, {6}, 1), backend_.zeros({6}, DType::f64)), Error);
  EXPECT_THROW(sigmoid_cross_entropy(logits, from_host(backend_, {2, 3}, DType::f64, {0, 0, 2, 0, 0, 0})), Error);
}

}  // namespace
}  // namespace graft::testing
