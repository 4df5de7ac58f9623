#include "engine/ops/drop_path.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/backend_agreement.h"
#include "tests/ops/gradient_check.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

const DropoutOptions kHalf{.p = 0.5, .random = {.seed = 7, .stream = 8}};

TEST(DropPath, GradientIsRight) {
  ReferenceBackend backend;
  const Tensor step = from_host(backend, {1}, DType::i64, {5});
  const auto op = [&](const std::vector<Variable>& in) { return drop_path(in[0], kHalf, step); };
  const GradientReport report = check_gradients(op, {random_leaf(backend, {9, 2, 3}, 1)});
  EXPECT_TRUE(report.ok) << report.str();
}

TEST(DropPath, IsTheSameBitsOnEveryBackend) {
  const auto op = [](const std::vector<Variable>& in) {
    return drop_path(in[0], kHalf, from_host(in[0].backend(), {1}, DType::i64, {5}));
  };
  for (const Shape& shape : {Shape{9, 4, 3, 8}, Shape{5, 7}, Shape{1}, Shape{0, 3}}) {
    SCOPED_TRACE(shape.str());
    expect_agreement(op, {shape}, 0.0);  // twice a number is exact
  }
}

TEST(DropPath, RefusesWhatDoesNotFit) {
  ReferenceBackend backend;
  const Tensor step = from_host(backend, {1}, DType::i64, {5});
  const Variable x = random_leaf(backend, {4, 3}, 1);
  EXPECT_TRUE(drop_path(x, {.p = 0.0}, step).same_as(x));
  EXPECT_THROW(drop_path(x, {.p = 1.0}, step), Error);
  EXPECT_THROW(drop_path(x, kHalf, {}), Error);
}

}  // namespace
}  // namespace graft::testing
