#include "engine/ops/local_response_norm.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/backend_agreement.h"
#include "tests/ops/gradient_check.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

const LrnOptions kOptions[] = {{},
                               {.size = 3, .alpha = 2.0, .beta = 0.75, .k = 1.0},
                               {.size = 4, .alpha = 3.0, .beta = 1.5, .k = 0.5},
                               {.size = 1, .alpha = 2.0},
                               {.size = 9, .alpha = 2.0, .beta = 0.5}};

TEST(LocalResponseNorm, GradientIsRight) {
  ReferenceBackend backend;
  for (const LrnOptions& options : kOptions) {
    const auto op = [&](const std::vector<Variable>& in) { return local_response_norm(in[0], options); };
    const GradientReport report = check_gradients(op, {random_leaf(backend, {2, 2, 3, 6}, 1)});
    EXPECT_TRUE(report.ok) << "size " << options.size << ": " << report.str();
  }
}

// Powers lose a few roundings, and dx is a difference.
TEST(LocalResponseNorm, AgreesOnEveryBackend) {
  for (const LrnOptions& options : kOptions) {
    for (const Shape& shape : {Shape{2, 3, 3, 16}, Shape{3, 7}, Shape{1, 1}, Shape{0, 4}}) {
      SCOPED_TRACE(shape.str() + ", size " + std::to_string(options.size));
      expect_agreement([&](const auto& in) { return local_response_norm(in[0], options); }, {shape}, 32.0);
    }
  }
}

TEST(LocalResponseNorm, RefusesWhatDoesNotFit) {
  ReferenceBackend backend;
  const Variable x = random_leaf(backend, {2, 4}, 1);
  EXPECT_THROW(local_response_norm(x, {.size = 0}), Error);
  EXPECT_THROW(local_response_norm(x, {.size = 256}), Error);
  EXPECT_THROW(local_response_norm(x, {.alpha = -1.0}), Error);
  EXPECT_THROW(local_response_norm(x, {.k = 0.0}), Error);
}

}  // namespace
}  // namespace graft::testing
