#include <gtest/gtest.h>

#include <numeric>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/ops/avg_pool2d.h"
#include "engine/ops/global_avg_pool.h"
#include "engine/ops/max_pool2d.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/gradient_check.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

class Pooling : public ::testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend({});

  // Distinct numbers at least 0.01 apart, so that no window is near a change of its maximum.
  Variable distinct(const Shape& shape) {
    std::vector<double> values(static_cast<std::size_t>(shape.numel()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = 0.01 * static_cast<double>(i * 37 % values.size()) - 0.3;
    }
    return Variable(from_host(*backend_, shape, DType::f64, values), true);
  }

  void expect_right(const std::function<Variable(const Variable&)>& op, const Shape& shape) {
    const GradientReport report =
        check_gradients([&op](const std::vector<Variable>& in) { return op(in[0]); }, {distinct(shape)});
    EXPECT_TRUE(report.ok) << report.str();
  }
};

const Pool2dOptions kOverlapping{.kernel = {3, 2}, .window = {.stride = {2, 1}, .padding = {1, 1, 0, 1}}};
const Pool2dOptions kDilated{.kernel = {2, 2}, .window = {.stride = {1, 2}, .dilation = {2, 3}}};

TEST_F(Pooling, MaximumGradient) {
  expect_right([](const Variable& x) { return max_pool2d(x, {}); }, {2, 4, 4, 3});
  expect_right([](const Variable& x) { return max_pool2d(x, kOverlapping); }, {2, 5, 4, 2});
  expect_right([](const Variable& x) { return max_pool2d(x, kDilated); }, {1, 5, 7, 2});
}

TEST_F(Pooling, AverageGradient) {
  expect_right([](const Variable& x) { return avg_pool2d(x, {}); }, {2, 4, 4, 3});
  expect_right([](const Variable& x) { return avg_pool2d(x, kOverlapping); }, {2, 5, 4, 2});
  Pool2dOptions without_pad = kOverlapping;
  without_pad.count_include_pad = false;
  expect_right([&](const Variable& x) { return avg_pool2d(x, without_pad); }, {2, 5, 4, 2});
}

TEST_F(Pooling, GlobalAverageGradient) {
  expect_right([](const Variable& x) { return global_avg_pool(x); }, {2, 3, 5, 4});
}

// With nothing recorded the indices are not even computed.
TEST_F(Pooling, EvaluationKeepsNoIndices) {
  const Variable x(distinct({2, 4, 4, 3}).value());
  const std::size_t before = backend_->bytes_in_use();
  const Variable y = max_pool2d(x, {});
  EXPECT_EQ(backend_->bytes_in_use() - before, y.value().nbytes());
}

TEST_F(Pooling, RefusesWhatDoesNotFit) {
  EXPECT_THROW(avg_pool2d(distinct({1, 5, 7, 2}), kDilated), Error);
  EXPECT_THROW(max_pool2d(distinct({5, 7}), {}), Error);
  EXPECT_THROW(global_avg_pool(distinct({5, 7})), Error);
}

}  // namespace
}  // namespace graft::testing
