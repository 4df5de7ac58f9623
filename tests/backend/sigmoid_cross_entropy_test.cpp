#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {

class SigmoidCrossEntropyTest : public KernelTest {
 protected:
  /// Targets 0, 1 and between in turn, every `ignore`-th ignored (0: none).
  static std::vector<double> turning_targets(std::int64_t count, std::int64_t ignore) {
    std::vector<double> targets;
    for (std::int64_t i = 0; i < count; ++i) {
      const double turn[] = {0.0, 1.0, 0.25, 0.9375};
      targets.push_back(ignore != 0 && i % ignore == 0 ? -1.0 : turn[i * 7 % 4]);
    }
    return targets;
  }

  void compare(const Pair& logits, const Pair& targets) {
    const Pair loss = output({1}, DType::f32);
    const Pair dlogits = output(logits.tested.shape(), dtype());
    backend().sigmoid_cross_entropy(logits.tested, targets.tested, loss.tested, dlogits.tested);
    oracle().sigmoid_cross_entropy(logits.exact, targets.exact, loss.exact, dlogits.exact);
    // Terms are not negative: the loss is its own magnitude. Sums in f32 on a GPU are 256 long and joined pairwise.
    const auto count = static_cast<double>(logits.tested.numel());
    expect_close("loss", loss, times((std::min(count, 300.0) + 12.0) * kF32Roundoff, values_of(absolute(loss.exact))));
    expect_close("dlogits", dlogits, gradient_bound(logits, targets));

    const Pair alone = output({1}, DType::f32);
    backend().sigmoid_cross_entropy(logits.tested, targets.tested, alone.tested, {});
    EXPECT_EQ(bytes_of(alone.tested), bytes_of(loss.tested)) << "the loss depends on whether dlogits is wanted";
    backend().sigmoid_cross_entropy(logits.tested, targets.tested, alone.tested, logits.tested);
    EXPECT_EQ(bytes_of(logits.tested), bytes_of(dlogits.tested)) << "dlogits over logits differs from dlogits";
  }

 private:
  /// Of (1 - t) s - t (1 - s) both terms.
  static std::vector<double> gradient_bound(const Pair& logits, const Pair& targets) {
    std::vector<double> bound = values_of(logits.exact);
    const std::vector<double> wanted = values_of(targets.exact);
    double used = 0.0;
    for (const double target : wanted) used += target >= 0.0 ? 1.0 : 0.0;
    for (std::size_t i = 0; i < bound.size(); ++i) {
      const double s = 1.0 / (1.0 + std::exp(-bound[i]));
      const double rest = 1.0 / (1.0 + std::exp(bound[i]));
      bound[i] = wanted[i] < 0.0 ? 0.0 : ((1.0 - wanted[i]) * s + wanted[i] * rest) / used;
      bound[i] = 16.0 * kF32Roundoff * bound[i] + 0x1p-133;
    }
    return bound;
  }
};

}  // namespace

TEST_P(SigmoidCrossEntropyTest, LossAndGradient) {
  for (const Shape& shape : {Shape{1, 1}, Shape{1, 14}, Shape{64, 14}, Shape{7, 33}, Shape{3, 1000}, Shape{129, 2},
                             Shape{0, 14}, Shape{3, 0}}) {
    for (const bool misaligned : {false, true}) {
      for (const std::int64_t ignore : {0, 3, 1}) {
        SCOPED_TRACE(shape.str() + ", every " + std::to_string(ignore) + "th entry ignored");
        misalign(misaligned);
        compare(normal(shape, dtype(), 0.0, 4.0), of(turning_targets(shape.numel(), ignore), shape, DType::f32));
      }
    }
  }
}

TEST_P(SigmoidCrossEntropyTest, DoesNotOverflow) {
  const std::vector<double> logits = {1e4, -1e4, 1e4, -1e4, 90.0, -90.0, 1e30, -1e30};
  compare(of(logits, {2, 4}, dtype()), of({1.0, 0.0, 0.5, 1.0, 0.0, 1.0, 1.0, 0.0}, {2, 4}, DType::f32));
}

TEST_P(SigmoidCrossEntropyTest, InfiniteLogitsOnTheRightSideLoseNothing) {
  const Pair logits = of({INFINITY, -INFINITY}, {1, 2}, dtype());
  const Pair targets = of({1.0, 0.0}, {1, 2}, DType::f32);
  const Pair loss = output({1}, DType::f32);
  backend().sigmoid_cross_entropy(logits.tested, targets.tested, loss.tested, logits.tested);
  EXPECT_EQ(values_of(loss.tested)[0], 0.0);
  for (const double gradient : values_of(logits.tested)) EXPECT_EQ(gradient, 0.0);
}

TEST_P(SigmoidCrossEntropyTest, KnownValues) {
  // log 2 at 0 whatever the target; log(1 + e^-2) where 2 is right and 2 more than that where it is wrong.
  const Pair logits = of({0.0, 2.0, 2.0, 5.0}, {2, 2}, dtype());
  const Pair targets = of({0.25, 1.0, 0.0, -1.0}, {2, 2}, DType::f32);
  const Pair loss = output({1}, DType::f32);
  backend().sigmoid_cross_entropy(logits.tested, targets.tested, loss.tested, {});
  const double right = std::log1p(std::exp(-2.0));
  EXPECT_NEAR(values_of(loss.tested)[0], (std::log(2.0) + 2.0 * right + 2.0) / 3.0, 1e-6);
}

// A kernel on a GPU cannot throw; its loss is NaN then.
TEST_P(SigmoidCrossEntropyTest, TargetsAboveOneShow) {
  for (const double wrong : std::vector<double>{1.5, NAN}) {
    const Pair logits = normal({1, 2}, dtype());
    const Pair targets = of({0.5, wrong}, {1, 2}, DType::f32);
    const Pair loss = output({1}, DType::f32);
    try {
      backend().sigmoid_cross_entropy(logits.tested, targets.tested, loss.tested, {});
      EXPECT_TRUE(std::isnan(values_of(loss.tested)[0])) << wrong;
    } catch (const Error&) {
    }
  }
}

TEST_P(SigmoidCrossEntropyTest, NanIsNan) {
  const Pair logits = of({0.0, NAN}, {1, 2}, dtype());
  const Pair loss = output({1}, DType::f32);
  backend().sigmoid_cross_entropy(logits.tested, of({0.0, 1.0}, {1, 2}, DType::f32).tested, loss.tested, {});
  EXPECT_TRUE(std::isnan(values_of(loss.tested)[0]));
}

TEST_P(SigmoidCrossEntropyTest, RefusesWhatBreaksTheContract) {
  const Tensor logits = backend().zeros({2, 3}, dtype());
  const Tensor targets = backend().zeros({2, 3}, DType::f32);
  const Tensor loss = backend().zeros({1}, DType::f32);
  EXPECT_THROW(backend().sigmoid_cross_entropy(logits, backend().zeros({2, 4}, DType::f32), loss, {}), Error);
  EXPECT_THROW(backend().sigmoid_cross_entropy(logits, backend().zeros({2, 3}, DType::i64), loss, {}), Error);
  EXPECT_THROW(backend().sigmoid_cross_entropy(logits, targets, backend().zeros({2}, DType::f32), {}), Error);
  EXPECT_THROW(backend().sigmoid_cross_entropy(logits, targets, loss, backend().zeros({3, 2}, dtype())), Error);
  EXPECT_THROW(backend().sigmoid_cross_entropy(backend().zeros({6}, dtype()), targets, loss, {}), Error);
}

INSTANTIATE_TEST_SUITE_P(Backends, SigmoidCrossEntropyTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
