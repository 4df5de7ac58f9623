#include "engine/nn/dropout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

class DropoutLayer : public ::testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend({});
  Variable ones_ = Variable(from_host(*backend_, {4000}, DType::f32, std::vector<double>(4000, 1.0)));

  std::vector<double> output(Dropout& layer, bool training, std::int64_t step, std::uint64_t seed) {
    const Tensor number = from_host(*backend_, {1}, DType::i64, {static_cast<double>(step)});
    return to_host(layer.forward(ones_, {.training = training, .step = number, .seed = seed}).value());
  }
};

TEST_F(DropoutLayer, IsTheIdentityWhenNotTraining) {
  Dropout layer(0.5, "classifier.0");
  EXPECT_TRUE(layer.forward(ones_, {}).same_as(ones_));
}

TEST_F(DropoutLayer, IsAFunctionOfSeedStepAndStream) {
  Dropout layer(0.25, "classifier.0");
  Dropout other(0.25, "classifier.3");
  const std::vector<double> y = output(layer, true, 3, 7);
  EXPECT_EQ(output(layer, true, 3, 7), y);
  EXPECT_NE(output(layer, true, 4, 7), y);
  EXPECT_NE(output(layer, true, 3, 8), y);
  EXPECT_NE(output(other, true, 3, 7), y);
}

TEST_F(DropoutLayer, DropsTheShareAskedFor) {
  Dropout layer(0.25, "classifier.0");
  const std::vector<double> y = output(layer, true, 3, 7);
  const auto dropped = static_cast<double>(std::count(y.begin(), y.end(), 0.0));
  // Four standard deviations of a binomial count.
  EXPECT_NEAR(dropped, 1000.0, 4 * std::sqrt(4000 * 0.25 * 0.75));
  EXPECT_NEAR(*std::max_element(y.begin(), y.end()), 1.0 / 0.75, 1e-6);
}

TEST_F(DropoutLayer, RefusesAProbabilityOfOne) {
  EXPECT_THROW(Dropout(1.0, "x"), Error);
  EXPECT_THROW(DropPath(1.0, "x"), Error);
}

TEST(DropPathLayer, DropsInTrainingOnly) {
  ReferenceBackend backend;
  const Tensor step = from_host(backend, {1}, DType::i64, {5});
  const Variable x = random_leaf(backend, {64, 3}, 1);
  DropPath layer(0.5, "blocks.0");
  DropPath other(0.5, "blocks.1");
  const ForwardContext training{.training = true, .step = step, .seed = 1};
  EXPECT_TRUE(layer.forward(x, {}).same_as(x));
  const std::vector<double> y = to_host(layer.forward(x, training).value());
  EXPECT_EQ(y, to_host(layer.forward(x, training).value()));
  EXPECT_NE(y, to_host(other.forward(x, training).value()));
}

}  // namespace
}  // namespace graft::testing
