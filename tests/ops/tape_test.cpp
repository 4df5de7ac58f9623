#include <gtest/gtest.h>

#include <string>

#include "engine/base/error.h"
#include "engine/ops/add.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/relu.h"
#include "tests/ops/counting_backend.h"
#include "tests/ops/gradient_check.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

class Tape : public ::testing::Test {
 protected:
  CountingBackend backend_;

  Variable leaf(std::vector<double> values, bool requires_grad = true) {
    const Shape shape{static_cast<std::int64_t>(values.size())};
    return Variable(from_host(backend_, shape, DType::f64, values), requires_grad);
  }
  Tensor tensor(std::vector<double> values) { return leaf(std::move(values)).value(); }

  std::string message_of_backward(const Variable& y, const Tensor& gradient = {}) {
    try {
      backward(y, gradient);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
};

TEST_F(Tape, RecordsNothingWithoutNeed) {
  const Variable frozen = leaf({1, 2}, false);
  EXPECT_EQ(relu(frozen).producer(), nullptr);
  EXPECT_FALSE(relu(frozen).requires_grad());
  const Variable x = leaf({1, 2});
  {
    const NoGradScope outer;
    {
      const NoGradScope inner;
      EXPECT_FALSE(will_record({x}));
    }
    EXPECT_EQ(relu(x).producer(), nullptr) << "the inner scope must not end the outer one";
  }
  EXPECT_NE(relu(x).producer(), nullptr);
}

TEST_F(Tape, DiamondsSumTheirBranches) {
  Variable x = leaf({1, -2, 3});
  const Variable a = relu(x);
  const Variable b = add(a, x);  // relu(x) + x
  const Variable y = add(b, a);  // 2 relu(x) + x
  const Variable z = add(y, b);  // 3 relu(x) + 2 x
  backward(z, tensor({1, 10, 100}));
  EXPECT_EQ(to_host(x.grad()), (std::vector<double>{5, 20, 500}));
}

TEST_F(Tape, GradientsOfSeveralPassesAddUp) {
  Variable x = leaf({1, -2});
  for (int pass = 0; pass < 3; ++pass) backward(relu(x), tensor({1, 1}));
  EXPECT_EQ(to_host(x.grad()), (std::vector<double>{3, 0}));
  EXPECT_EQ(backend_.calls("add"), 1) << "the second gradient makes memory of its own,";
  EXPECT_EQ(backend_.calls("accumulate"), 1) << "the third adds to it";
  x.clear_grad();
  EXPECT_FALSE(x.grad().defined());
}

// add gives one tensor as the gradient of both inputs: a sum for one must not show in the other, nor in the caller's.
TEST_F(Tape, SharedGradientsStayApart) {
  Variable a = leaf({1, 2});
  Variable b = leaf({3, 4});
  const Tensor gradient = tensor({1, 10});
  backward(add(a, b), gradient);
  backward(relu(a), tensor({5, 5}));
  backward(relu(a), tensor({5, 5}));
  EXPECT_EQ(to_host(a.grad()), (std::vector<double>{11, 20}));
  EXPECT_EQ(to_host(b.grad()), (std::vector<double>{1, 10}));
  EXPECT_EQ(to_host(gradient), (std::vector<double>{1, 10}));
}

TEST_F(Tape, WalksHundredThousandNodes) {
  Variable x = leaf({2});
  Variable y = x;
  for (int i = 0; i < 100'000; ++i) y = relu(y);
  backward(y, tensor({3}));
  EXPECT_EQ(to_host(x.grad()), (std::vector<double>{3}));
}

TEST_F(Tape, DropsHundredThousandNodesThatBackwardNeverPassed) {
  const Variable x = leaf({2});
  const std::size_t before = backend_.bytes_in_use();
  {
    Variable chain = x;
    for (int i = 0; i < 100'000; ++i) chain = relu(chain);
    Variable diamonds = x;
    for (int i = 0; i < 100'000; ++i) diamonds = add(diamonds, diamonds);
  }
  EXPECT_EQ(backend_.bytes_in_use(), before);
}

// Memory in use when each of a chain's nodes is passed: what the later ones saved is gone by then.
TEST_F(Tape, FreesWhatNodesSavedAsItPasses) {
  constexpr std::size_t kBytes = 8 * 1000;
  Variable x(backend_.zeros({1000}, DType::f64), true);
  const std::size_t before = backend_.bytes_in_use();
  std::vector<std::size_t> in_use;
  Variable y = x;
  for (int i = 0; i < 4; ++i) {
    const Tensor saved = backend_.zeros({1000}, DType::f64);
    y = record("probe", backend_.zeros({1000}, DType::f64), {y}, [&, saved](const Tensor& dy, std::span<const bool>) {
      in_use.push_back((backend_.bytes_in_use() - before) / kBytes);
      return std::vector<Tensor>{dy};
    });
  }
  backward(y, backend_.zeros({1000}, DType::f64));
  // The output that y holds, the gradient, and what the nodes to come have saved.
  EXPECT_EQ(in_use, (std::vector<std::size_t>{6, 5, 4, 3}));
  EXPECT_EQ((backend_.bytes_in_use() - before) / kBytes, 2u) << "y and the leaf's gradient";
}

TEST_F(Tape, ExplainsMisuse) {
  const Variable x = leaf({1, 2});
  const Variable y = relu(x);
  EXPECT_NE(message_of_backward(x).find("nothing was recorded"), std::string::npos);
  EXPECT_NE(message_of_backward({}).find("nothing was recorded"), std::string::npos);
  EXPECT_NE(message_of_backward(y).find("needs a gradient"), std::string::npos);
  EXPECT_NE(message_of_backward(y, tensor({1, 2, 3})).find("f64 [3]"), std::string::npos);
  EXPECT_EQ(message_of_backward(y, tensor({1, 1})), "no error");
  EXPECT_NE(message_of_backward(y, tensor({1, 1})).find("passed before"), std::string::npos);
  Variable result = relu(x);
  EXPECT_THROW(result.set_requires_grad(false), Error);
}

TEST_F(Tape, ReportsABackwardThatGivesNoOrAWrongGradient) {
  const Variable x = leaf({1, 2});
  const auto broken = [&](std::vector<Tensor> gradients) {
    return record("broken", tensor({1}), {x}, [gradients](const Tensor&, std::span<const bool>) { return gradients; });
  };
  EXPECT_EQ(message_of_backward(broken({Tensor()})), "[backward] [broken] gave no gradient of input 0");
  EXPECT_EQ(message_of_backward(broken({})), "[backward] [broken] gave 0 gradients for 1 inputs");
  EXPECT_EQ(message_of_backward(broken({tensor({1, 2, 3})})),
            "[backward] a gradient of f64 [3] arrived at a leaf of f64 [2]");
}

TEST_F(Tape, ThawingAfterRecordingBringsNothing) {
  Variable x = leaf({1, 2});
  Variable y = leaf({1, 2}, false);
  const Variable sum = add(x, y);
  y.set_requires_grad(true);
  backward(sum, tensor({1, 1}));
  EXPECT_TRUE(x.grad().defined());
  EXPECT_FALSE(y.grad().defined());
}

TEST_F(Tape, ConvertedValuesAreKeptUntilTheValueChanges) {
  Variable x = leaf({1, 2});
  EXPECT_EQ(x.value_as(DType::f64).raw(), x.value().raw());
  EXPECT_EQ(backend_.calls("cast"), 0);
  const Tensor converted = x.value_as(DType::bf16);
  EXPECT_EQ(x.value_as(DType::bf16).raw(), converted.raw());
  EXPECT_EQ(backend_.calls("cast"), 1);
  backend_.fill(3.0, x.value());
  x.mark_changed();
  EXPECT_EQ(to_host(x.value_as(DType::bf16)), (std::vector<double>{3, 3}));
  x.set_value(tensor({4, 5}));
  EXPECT_EQ(to_host(x.value_as(DType::bf16)), (std::vector<double>{4, 5}));
  EXPECT_EQ(backend_.calls("cast"), 3);
  EXPECT_THROW(x.set_value(tensor({4, 5, 6})), Error);
  x.convert(DType::f32);
  EXPECT_EQ(to_host(x.value()), (std::vector<double>{4, 5}));
  EXPECT_EQ(x.dtype(), DType::f32);
}

// The planted bug of a kernel rather than of a closure: the mask of the fused ReLU is lost.
TEST(PlantedBug, InAKernelIsCaught) {
  class Unmasked : public ReferenceBackend {
    void relu_backward(const Tensor& dy, const Tensor&, const Tensor& dx) override { copy(dy, dx); }
  };
  const auto check = [](Backend& backend) {
    const auto op = [](const std::vector<Variable>& in) { return conv2d(in[0], in[1], {}, {.relu = true}); };
    return check_gradients(op, {random_leaf(backend, {1, 4, 4, 2}, 1), random_leaf(backend, {3, 3, 3, 2}, 2)});
  };
  Unmasked wrong;
  EXPECT_FALSE(check(wrong).ok);
  ReferenceBackend right;
  EXPECT_TRUE(check(right).ok) << check(right).str();
}

}  // namespace
}  // namespace graft::testing
