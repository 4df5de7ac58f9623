#include "engine/ops/subsample_pad.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/base/error.h"
#include "engine/reference/reference_backend.h"
#include "tests/backend/backends_under_test.h"
#include "tests/ops/backend_agreement.h"
#include "tests/ops/gradient_check.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

struct Case {
  Shape x;
  std::int64_t stride;
  std::int64_t channels;
};

const std::vector<Case> kCases = {
    {{2, 8, 8, 16}, 2, 32}, {{1, 7, 5, 3}, 2, 6}, {{2, 5, 5, 4}, 1, 7},   {{1, 4, 4, 8}, 2, 8},
    {{1, 1, 1, 1}, 2, 4},   {{0, 6, 6, 2}, 2, 4}, {{3, 9, 10, 5}, 3, 16},
};

TEST(SubsamplePad, KeepsEveryOtherPixelBetweenZeroChannels) {
  ReferenceBackend backend;
  // Rows (1, 2), (3, 4), (5, 6) of one pixel of two channels each.
  const Variable x(from_host(backend, {1, 3, 1, 2}, DType::f64, {1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(to_host(subsample_pad(x, 2, 5).value()), (std::vector<double>{0, 1, 2, 0, 0, 0, 5, 6, 0, 0}));
}

TEST(SubsamplePad, GradientIsRight) {
  ReferenceBackend backend;
  for (const Case& c : {Case{{2, 5, 4, 2}, 2, 4}, Case{{1, 3, 3, 2}, 1, 5}, Case{{1, 7, 5, 1}, 3, 1}}) {
    const auto op = [&c](const std::vector<Variable>& in) { return subsample_pad(in[0], c.stride, c.channels); };
    const GradientReport report = check_gradients(op, {random_leaf(backend, c.x, 1)});
    EXPECT_TRUE(report.ok) << c.x.str() << ": " << report.str();
  }
}

TEST(SubsamplePad, IsTheSameBitsOnEveryBackend) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.x.str());
    expect_agreement([&c](const auto& in) { return subsample_pad(in[0], c.stride, c.channels); }, {c.x}, 0.0);
  }
}

TEST(SubsamplePad, RefusesWhatDoesNotFit) {
  ReferenceBackend backend;
  const Variable x = random_leaf(backend, {1, 4, 4, 4}, 1);
  EXPECT_THROW(subsample_pad(x, 1, 3), Error);
  EXPECT_THROW(subsample_pad(x, 0, 4), Error);
  EXPECT_THROW(subsample_pad(random_leaf(backend, {4, 4}, 1), 1, 4), Error);
}

// The kernels refuse by themselves too: not every caller is the operation.
TEST(SubsamplePad, KernelsRefuseWhatBreaksTheContract) {
  for (const BackendUnderTest& candidate : backends_under_test()) {
    const auto backend = candidate.make();
    const Tensor x = backend->zeros({1, 4, 4, 4}, DType::f32);
    const auto refused = [&](const Tensor& y, std::int64_t stride) {
      EXPECT_THROW(backend->subsample_pad_forward(x, stride, y), Error) << candidate.name;
      EXPECT_THROW(backend->subsample_pad_backward(y, stride, x), Error) << candidate.name;
    };
    refused(backend->zeros({1, 2, 2, 2}, DType::f32), 2);
    refused(backend->zeros({1, 3, 2, 8}, DType::f32), 2);
    refused(backend->zeros({1, 2, 2, 8}, DType::i32), 2);
    refused(backend->zeros({1, 4, 4, 8}, DType::f32), 0);
    refused(Tensor(), 2);
    refused(x, 1);
  }
}

}  // namespace
}  // namespace graft::testing
