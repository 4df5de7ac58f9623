#include "engine/ops/adaptive_avg_pool2d.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/backend_agreement.h"
#include "tests/ops/gradient_check.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

struct Case {
  Shape x;
  Extent2d output;
};

TEST(AdaptiveAvgPool2d, GradientIsRight) {
  ReferenceBackend backend;
  for (const Case& c : {Case{{2, 5, 7, 2}, {3, 2}}, Case{{1, 2, 3, 2}, {4, 7}}, Case{{2, 4, 4, 1}, {1, 1}}}) {
    const auto op = [&](const std::vector<Variable>& in) { return adaptive_avg_pool2d(in[0], c.output); };
    const GradientReport report = check_gradients(op, {random_leaf(backend, c.x, 1)});
    EXPECT_TRUE(report.ok) << c.x.str() << ": " << report.str();
  }
}

TEST(AdaptiveAvgPool2d, AgreesOnEveryBackend) {
  for (const Case& c : {Case{{2, 9, 7, 16}, {6, 6}}, Case{{1, 3, 2, 5}, {7, 7}}, Case{{0, 3, 3, 4}, {2, 2}},
                        Case{{1, 1, 1, 1}, {1, 2}}}) {
    SCOPED_TRACE(c.x.str());
    expect_agreement([&](const auto& in) { return adaptive_avg_pool2d(in[0], c.output); }, {c.x}, 16.0);
  }
}

TEST(AdaptiveAvgPool2d, IsNothingWhereTheExtentsAreThose) {
  ReferenceBackend backend;
  const Variable x = random_leaf(backend, {2, 7, 6, 3}, 1);
  EXPECT_TRUE(adaptive_avg_pool2d(x, {7, 6}).same_as(x));
}

TEST(AdaptiveAvgPool2d, RefusesWhatDoesNotFit) {
  ReferenceBackend backend;
  EXPECT_THROW(adaptive_avg_pool2d(random_leaf(backend, {2, 4, 4, 3}, 1), {0, 2}), Error);
  EXPECT_THROW(adaptive_avg_pool2d(random_leaf(backend, {4, 4}, 1), {2, 2}), Error);
}

}  // namespace
}  // namespace graft::testing
