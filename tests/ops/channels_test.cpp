#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/ops/concat_channels.h"
#include "engine/ops/scale_channels.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/backend_agreement.h"
#include "tests/ops/gradient_check.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

TEST(ConcatChannels, JoinsTheLastDimension) {
  ReferenceBackend backend;
  const Variable a(from_host(backend, {2, 1}, DType::f64, {1, 2}));
  const Variable b(from_host(backend, {2, 3}, DType::f64, {3, 4, 5, 6, 7, 8}));
  const std::vector<Variable> inputs{a, b, a};
  const Variable y = concat_channels(inputs);
  EXPECT_EQ(y.shape(), (Shape{2, 5}));
  EXPECT_EQ(to_host(y.value()), (std::vector<double>{1, 3, 4, 5, 1, 2, 6, 7, 8, 2}));
  EXPECT_TRUE(concat_channels({&a, 1}).same_as(a));
}

TEST(ConcatChannels, GradientIsRight) {
  ReferenceBackend backend;
  const auto op = [](const std::vector<Variable>& in) { return concat_channels(in); };
  const auto leaf = [&](std::int64_t channels, std::uint64_t seed, bool wanted) {
    return random_leaf(backend, {2, 3, 1, channels}, seed, wanted);
  };
  for (int wanted = 1; wanted < 8; ++wanted) {
    const GradientReport report = check_gradients(
        op, {leaf(2, 1, (wanted & 1) != 0), leaf(1, 2, (wanted & 2) != 0), leaf(4, 3, (wanted & 4) != 0)});
    EXPECT_TRUE(report.ok) << "wanted " << wanted << ": " << report.str();
  }
  const Variable twice = random_leaf(backend, {3, 2}, 1);
  const GradientReport report = check_gradients(
      [](const std::vector<Variable>& in) {
        return concat_channels(std::vector<Variable>{in[0], in[0]});
      },
      {twice});
  EXPECT_TRUE(report.ok) << report.str();
}

TEST(ConcatChannels, IsTheSameBitsOnEveryBackend) {
  const auto op = [](const auto& in) { return concat_channels(in); };
  expect_agreement(op, {{2, 5, 3, 16}, {2, 5, 3, 8}, {2, 5, 3, 24}}, 0.0);
  expect_agreement(op, {{2, 5, 3, 3}, {2, 5, 3, 1}}, 0.0);
  expect_agreement(op, {{4, 0}, {4, 3}}, 0.0);
  expect_agreement(op, {{0, 2, 2, 4}, {0, 2, 2, 4}}, 0.0);
}

TEST(ConcatChannels, RefusesWhatDoesNotFit) {
  ReferenceBackend backend;
  const Variable a = random_leaf(backend, {2, 3, 4}, 1);
  EXPECT_THROW(concat_channels({}), Error);
  EXPECT_THROW(concat_channels(std::vector<Variable>{a, random_leaf(backend, {2, 4, 4}, 1)}), Error);
  EXPECT_THROW(concat_channels(std::vector<Variable>{a, random_leaf(backend, {6, 4}, 1)}), Error);
  EXPECT_THROW(concat_channels(std::vector<Variable>{a, Variable(backend.zeros({2, 3, 4}, DType::f32))}), Error);
}

TEST(ScaleChannels, MultipliesEveryPositionOfAnImage) {
  ReferenceBackend backend;
  const Variable x(from_host(backend, {2, 1, 2, 2}, DType::f64, {1, 2, 3, 4, 5, 6, 7, 8}));
  const Variable s(from_host(backend, {2, 2}, DType::f64, {10, 100, -1, 0}));
  EXPECT_EQ(to_host(scale_channels(x, s).value()), (std::vector<double>{10, 200, 30, 400, -5, 0, -7, 0}));
}

TEST(ScaleChannels, GradientIsRight) {
  ReferenceBackend backend;
  for (int wanted = 1; wanted < 4; ++wanted) {
    const GradientReport report = check_gradients(
        [](const auto& in) { return scale_channels(in[0], in[1]); },
        {random_leaf(backend, {2, 3, 2, 4}, 1, (wanted & 1) != 0), random_leaf(backend, {2, 4}, 2, (wanted & 2) != 0)});
    EXPECT_TRUE(report.ok) << "wanted " << wanted << ": " << report.str();
  }
}

// The sums of the second gradient have up to 35 terms, each rounded in f32 and once at the end.
TEST(ScaleChannels, AgreesOnEveryBackend) {
  const auto op = [](const auto& in) { return scale_channels(in[0], in[1]); };
  expect_agreement(op, {{2, 5, 7, 16}, {2, 16}}, 8.0);
  expect_agreement(op, {{3, 2, 3, 5}, {3, 5}}, 8.0);
  expect_agreement(op, {{1, 1, 1, 1}, {1, 1}}, 8.0);
  expect_agreement(op, {{0, 3, 3, 4}, {0, 4}}, 8.0);
}

TEST(ScaleChannels, RefusesWhatDoesNotFit) {
  ReferenceBackend backend;
  const Variable x = random_leaf(backend, {2, 3, 3, 4}, 1);
  EXPECT_THROW(scale_channels(x, random_leaf(backend, {2, 3}, 1)), Error);
  EXPECT_THROW(scale_channels(x, random_leaf(backend, {3, 4}, 1)), Error);
  EXPECT_THROW(scale_channels(random_leaf(backend, {2, 4}, 1), random_leaf(backend, {2, 4}, 1)), Error);
  EXPECT_THROW(scale_channels(x, Variable(backend.zeros({2, 4}, DType::f32))), Error);
}

}  // namespace
}  // namespace graft::testing
