#include <gtest/gtest.h>

#include <algorithm>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/ops/add.h"
#include "engine/ops/dropout.h"
#include "engine/ops/flatten.h"
#include "engine/ops/relu.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/gradient_check.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

class Elementwise : public ::testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend({});

  void expect_right(const std::function<Variable(const std::vector<Variable>&)>& op, std::vector<Variable> inputs) {
    const GradientReport report = check_gradients(op, std::move(inputs));
    EXPECT_TRUE(report.ok) << report.str();
  }
};

TEST_F(Elementwise, ReluGradient) {
  expect_right([](const auto& in) { return relu(in[0]); }, {random_leaf(*backend_, {3, 7}, 1)});
}

TEST_F(Elementwise, AddGradient) {
  expect_right([](const auto& in) { return add(in[0], in[1]); },
               {random_leaf(*backend_, {3, 7}, 1), random_leaf(*backend_, {3, 7}, 2)});
  expect_right([](const auto& in) { return add(in[0], in[0]); }, {random_leaf(*backend_, {3, 7}, 1)});
  expect_right([](const auto& in) { return add(in[0], in[1]); },
               {random_leaf(*backend_, {3, 7}, 1, false), random_leaf(*backend_, {3, 7}, 2)});
  EXPECT_THROW(add(random_leaf(*backend_, {3}, 1), random_leaf(*backend_, {4}, 1)), Error);
}

TEST_F(Elementwise, DropoutGradient) {
  const Tensor step = from_host(*backend_, {1}, DType::i64, {5});
  const DropoutOptions options{.p = 0.3, .random = {.seed = 7, .stream = 8}};
  const Variable x = random_leaf(*backend_, {9, 11}, 1);
  expect_right([&](const auto& in) { return dropout(in[0], options, step); }, {x});
  const std::vector<double> y = to_host(dropout(x, options, step).value());
  EXPECT_GT(std::count(y.begin(), y.end(), 0.0), 0);
  EXPECT_TRUE(dropout(x, {.p = 0.0}, step).same_as(x));
  EXPECT_THROW(dropout(x, {.p = 1.0}, step), Error);
  EXPECT_THROW(dropout(x, options, {}), Error);
}

TEST_F(Elementwise, FlattenGradientAndOrder) {
  const auto op = [](const auto& in) { return flatten(in[0]); };
  expect_right(op, {random_leaf(*backend_, {2, 3, 2, 4}, 1)});
  expect_right(op, {random_leaf(*backend_, {2, 1, 1, 4}, 1)});
  expect_right(op, {random_leaf(*backend_, {2, 3, 2, 1}, 1)});
  const Variable x(from_host(*backend_, {1, 1, 2, 3}, DType::f64, {1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(to_host(flatten(x).value()), (std::vector<double>{1, 4, 2, 5, 3, 6}));
}

TEST_F(Elementwise, FlattenIsFreeWhereTheOrderIsTheSame) {
  for (const Shape& shape : {Shape{2, 1, 1, 4}, Shape{2, 3, 2, 1}}) {
    const Variable x = random_leaf(*backend_, shape, 1);
    EXPECT_EQ(flatten(x).value().raw(), x.value().raw());
  }
  const Variable flat = random_leaf(*backend_, {2, 5}, 1);
  EXPECT_TRUE(flatten(flat).same_as(flat));
}

}  // namespace
}  // namespace graft::testing
