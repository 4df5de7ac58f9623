#include <gtest/gtest.h>

#include <string>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/linear.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/gradient_check.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

struct ConvCase {
  std::string name;
  Shape x;
  Shape w;
  Conv2dOptions options;
};

std::ostream& operator<<(std::ostream& out, const ConvCase& c) { return out << c.name; }

class Conv2dGradient : public ::testing::TestWithParam<ConvCase> {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend({});

  // Checks with gradients wanted of x, w and bias as given; `with_bias` false leaves the bias out.
  void expect_right(bool x_wanted, bool w_wanted, bool bias_wanted, bool with_bias) {
    const ConvCase& c = GetParam();
    const std::vector<Variable> inputs{random_leaf(*backend_, c.x, 1, x_wanted),
                                       random_leaf(*backend_, c.w, 2, w_wanted),
                                       random_leaf(*backend_, {c.w[0]}, 3, bias_wanted)};
    const auto function = [&](const std::vector<Variable>& in) {
      return conv2d(in[0], in[1], with_bias ? in[2] : Variable(), c.options);
    };
    const GradientReport report = check_gradients(function, inputs);
    EXPECT_TRUE(report.ok) << report.str();
    for (const Variable& input : inputs) EXPECT_EQ(input.grad().defined(), input.requires_grad());
  }

  // Likewise with a residual: gradients of all inputs, or of the residual alone.
  void expect_right_with_residual(bool others_wanted) {
    const ConvCase& c = GetParam();
    const std::vector<Variable> inputs{random_leaf(*backend_, c.x, 1, others_wanted),
                                       random_leaf(*backend_, c.w, 2, others_wanted),
                                       random_leaf(*backend_, {c.w[0]}, 3, others_wanted),
                                       random_leaf(*backend_, conv2d_output_shape(c.x, c.w, c.options), 4)};
    const auto function = [&](const std::vector<Variable>& in) {
      return conv2d(in[0], in[1], in[2], in[3], c.options);
    };
    const GradientReport report = check_gradients(function, inputs);
    EXPECT_TRUE(report.ok) << report.str();
    for (const Variable& input : inputs) EXPECT_EQ(input.grad().defined(), input.requires_grad());
  }
};

TEST_P(Conv2dGradient, WithResidual) { expect_right_with_residual(true); }
TEST_P(Conv2dGradient, OfResidualAlone) { expect_right_with_residual(false); }
TEST_P(Conv2dGradient, OfAllInputs) { expect_right(true, true, true, true); }
TEST_P(Conv2dGradient, WithoutBias) { expect_right(true, true, false, false); }
TEST_P(Conv2dGradient, OfXAlone) { expect_right(true, false, false, true); }
TEST_P(Conv2dGradient, OfWeightAlone) { expect_right(false, true, false, true); }
TEST_P(Conv2dGradient, OfBiasAlone) { expect_right(false, false, true, true); }

INSTANTIATE_TEST_SUITE_P(
    Cases, Conv2dGradient,
    ::testing::Values(
        ConvCase{"plain", {2, 4, 5, 2}, {3, 3, 3, 2}, {}},
        ConvCase{"padded", {1, 4, 3, 2}, {2, 3, 3, 2}, {.window = {.padding = Padding2d::same(1)}}},
        ConvCase{"strided", {1, 5, 6, 2}, {2, 3, 2, 2}, {.window = {.stride = {2, 3}, .padding = {1, 0, 2, 1}}}},
        ConvCase{"dilated", {1, 6, 5, 1}, {2, 3, 2, 1}, {.window = {.dilation = {2, 3}}}},
        ConvCase{"grouped", {1, 3, 3, 4}, {6, 2, 2, 2}, {.groups = 2}},
        ConvCase{"depthwise", {1, 4, 4, 3}, {3, 3, 3, 1}, {.window = {.padding = Padding2d::same(1)}, .groups = 3}},
        ConvCase{"relu", {2, 4, 4, 2}, {3, 3, 3, 2}, {.window = {.padding = Padding2d::same(1)}, .relu = true}}),
    [](const auto& test) { return test.param.name; });

class LinearGradient : public ::testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend({});
};

TEST_P(LinearGradient, IsRightForEveryChoiceOfInputs) {
  for (int wanted = 1; wanted < 8; ++wanted) {
    const std::vector<Variable> inputs{random_leaf(*backend_, {4, 3}, 1, wanted & 1),
                                       random_leaf(*backend_, {5, 3}, 2, wanted & 2),
                                       random_leaf(*backend_, {5}, 3, wanted & 4)};
    const auto function = [&](const std::vector<Variable>& in) { return linear(in[0], in[1], in[2], GetParam()); };
    const GradientReport report = check_gradients(function, inputs);
    EXPECT_TRUE(report.ok) << "inputs " << wanted << ": " << report.str();
    for (const Variable& input : inputs) EXPECT_EQ(input.grad().defined(), input.requires_grad());
  }
}

TEST_P(LinearGradient, IsRightForMoreDimensionsAndNoBias) {
  const std::vector<Variable> inputs{random_leaf(*backend_, {2, 3, 4}, 1), random_leaf(*backend_, {2, 4}, 2)};
  const auto function = [&](const std::vector<Variable>& in) { return linear(in[0], in[1], {}, GetParam()); };
  EXPECT_EQ(function(inputs).shape(), (Shape{2, 3, 2}));
  const GradientReport report = check_gradients(function, inputs);
  EXPECT_TRUE(report.ok) << report.str();
}

INSTANTIATE_TEST_SUITE_P(Relu, LinearGradient, ::testing::Bool());

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Conv2dErrors, NameBothValues) {
  const auto backend = make_reference_backend({});
  const Variable x = random_leaf(*backend, {1, 4, 4, 3}, 1);
  const Variable wide = random_leaf(*backend, {2, 3, 3, 64}, 2);
  EXPECT_NE(message_of([&] { conv2d(x, wide, {}, {}); }).find("64"), std::string::npos);
  const Variable w = random_leaf(*backend, {2, 3, 3, 3}, 2);
  const Variable bias = random_leaf(*backend, {5}, 3);
  EXPECT_EQ(message_of([&] { conv2d(x, w, bias, {}); }), "[conv2d] bias is [5], weight has 2 output channels");
  EXPECT_EQ(message_of([&] { conv2d(x, w, {}, x, {}); }).rfind("[conv2d] residual is ", 0), 0u);
  const Variable narrow(random_tensor(*backend, {2, 3, 3, 3}, DType::f32, 2));
  EXPECT_EQ(message_of([&] { conv2d(x, narrow, {}, {}); }), "[conv2d] weight is f32, with x in f64 it must be f64");
}

TEST(LinearErrors, NameBothValues) {
  const auto backend = make_reference_backend({});
  const Variable x = random_leaf(*backend, {2, 3}, 1);
  EXPECT_EQ(message_of([&] {
              linear(x, random_leaf(*backend, {5, 4}, 2), {});
            }),
            "[linear] x is [2, 3], weight has 4 input features");
}

}  // namespace
}  // namespace graft::testing
