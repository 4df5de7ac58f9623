#include <gtest/gtest.h>

#include <cmath>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/ops/softmax_cross_entropy.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/gradient_check.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

class SoftmaxCrossEntropy : public ::testing::TestWithParam<double> {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend({});
  Tensor labels_ = from_host(*backend_, {4}, DType::i64, {2, -1, 0, 4});
};

TEST_P(SoftmaxCrossEntropy, GradientIsRight) {
  const auto op = [&](const std::vector<Variable>& in) { return softmax_cross_entropy(in[0], labels_, GetParam()); };
  const GradientReport report = check_gradients(op, {random_leaf(*backend_, {4, 5}, 1)});
  EXPECT_TRUE(report.ok) << report.str();
}

// check_gradients walks from a given gradient; training walks from the implicit one.
TEST_P(SoftmaxCrossEntropy, ImplicitOneIsOne) {
  Variable implicit = random_leaf(*backend_, {4, 5}, 1);
  Variable given = random_leaf(*backend_, {4, 5}, 1);
  backward(softmax_cross_entropy(implicit, labels_, GetParam()));
  const Tensor two = from_host(*backend_, {1}, DType::f64, {2.0});
  backward(softmax_cross_entropy(given, labels_, GetParam()), two);
  const std::vector<double> once = to_host(implicit.grad());
  const std::vector<double> twice = to_host(given.grad());
  for (std::size_t i = 0; i < once.size(); ++i) EXPECT_EQ(2.0 * once[i], twice[i]) << "element " << i;
}

INSTANTIATE_TEST_SUITE_P(Smoothing, SoftmaxCrossEntropy, ::testing::Values(0.0, 0.1));

TEST(Loss, OfEqualLogitsIsTheLogarithmOfTheClasses) {
  const auto backend = make_reference_backend({});
  const Variable logits(backend->zeros({2, 5}, DType::f64));
  const Tensor labels = from_host(*backend, {2}, DType::i64, {1, 3});
  EXPECT_NEAR(to_host(softmax_cross_entropy(logits, labels, 0.0).value())[0], std::log(5.0), 1e-15);
}

TEST(Loss, RefusesWhatDoesNotFit) {
  const auto backend = make_reference_backend({});
  const Variable logits = random_leaf(*backend, {4, 5}, 1);
  EXPECT_THROW(softmax_cross_entropy(logits, from_host(*backend, {3}, DType::i64, {0, 0, 0}), 0.0), Error);
  EXPECT_THROW(softmax_cross_entropy(logits, from_host(*backend, {4}, DType::f64, {0, 0, 0, 0}), 0.0), Error);
  EXPECT_THROW(softmax_cross_entropy(logits, from_host(*backend, {4}, DType::i64, {0, 0, 0, 0}), -0.1), Error);
}

}  // namespace
}  // namespace graft::testing
