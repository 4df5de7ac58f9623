#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {

/// Labels 0 .. classes - 1 in turn, every `ignore`-th row ignored (0: none).
std::vector<double> turning_labels(std::int64_t rows, std::int64_t classes, std::int64_t ignore) {
  std::vector<double> labels;
  for (std::int64_t n = 0; n < rows; ++n) {
    labels.push_back(ignore != 0 && n % ignore == 0 ? -1.0 : static_cast<double>(n * 7 % classes));
  }
  return labels;
}

class LossTest : public KernelTest {
 protected:
  /// The magnitudes behind the bounds: exp sees arguments of size |logit - max| whose rounding it multiplies by, the
  /// sum of exponentials has `classes` terms, and the mean over rows as many as there are rows.
  void compare(const Pair& logits, const Pair& labels, double smoothing) {
    const Pair loss = output({1}, DType::f32);
    const Pair dlogits = output(logits.tested.shape(), dtype());
    backend().softmax_cross_entropy(logits.tested, labels.tested, smoothing, loss.tested, dlogits.tested);
    oracle().softmax_cross_entropy(logits.exact, labels.exact, smoothing, loss.exact, dlogits.exact);
    const auto rows = static_cast<double>(logits.tested.dim(0));
    const auto classes = static_cast<double>(logits.tested.dim(1));
    const double range = 2.0 * largest(values_of(logits.exact));
    const double loss_magnitude = range + std::log(classes + 1.0);
    expect_close("loss", loss, 2.0 * (classes + rows) * kF32Roundoff * loss_magnitude);
    expect_close("dlogits", dlogits, gradient_bound(logits, labels, dlogits.exact, range));

    const Pair alone = output({1}, DType::f32);
    backend().softmax_cross_entropy(logits.tested, labels.tested, smoothing, alone.tested, {});
    EXPECT_EQ(bytes_of(alone.tested), bytes_of(loss.tested)) << "the loss depends on whether dlogits is wanted";
    backend().softmax_cross_entropy(logits.tested, labels.tested, smoothing, alone.tested, logits.tested);
    EXPECT_EQ(bytes_of(logits.tested), bytes_of(dlogits.tested)) << "dlogits over logits differs from dlogits";
  }

 private:
  std::vector<double> gradient_bound(const Pair& logits, const Pair& labels, const Tensor& dlogits, double range) {
    double used = 0.0;
    for (const double label : values_of(labels.exact)) used += label >= 0.0 ? 1.0 : 0.0;
    // |p| + |target| <= |p - target| + 2 target, and a target is at most 1 in one column: bounded by 2 / used there.
    std::vector<double> bound = values_of(absolute(dlogits));
    const auto classes = static_cast<std::size_t>(logits.exact.dim(1));
    const std::vector<double> label_values = values_of(labels.exact);
    for (std::size_t i = 0; i < bound.size(); ++i) {
      const double label = label_values[i / classes];
      const bool is_target = label == static_cast<double>(i % classes);
      const double target = label < 0.0 ? 0.0 : is_target ? 1.0 : 1.0 / static_cast<double>(classes);
      bound[i] = 2.0 * (static_cast<double>(classes) + range + 4.0) * kF32Roundoff *
                 (bound[i] + 2.0 * target / std::max(used, 1.0));
    }
    return bound;
  }
};

}  // namespace

TEST_P(LossTest, SoftmaxCrossEntropy) {
  for (const Shape& shape : {Shape{1, 1}, Shape{1, 10}, Shape{64, 5}, Shape{7, 33}, Shape{3, 1000}, Shape{129, 2},
                             Shape{3, 256}, Shape{2, 257}, Shape{5, 8}}) {
    misalign(shape[1] == 8);
    for (const std::int64_t ignore : {0, 3, 1}) {
      for (const double smoothing : {0.0, 0.1, 1.0}) {
        SCOPED_TRACE(shape.str() + ", every " + std::to_string(ignore) + "th row ignored, smoothing " +
                     std::to_string(smoothing));
        const Pair logits = normal(shape, dtype(), 0.0, 3.0);
        compare(logits, of(turning_labels(shape[0], shape[1], ignore), {shape[0]}, DType::i64), smoothing);
      }
    }
  }
}

TEST_P(LossTest, SoftmaxCrossEntropyOfManyClassesOrRows) {
  for (const Shape& shape : {Shape{2, 8200}, Shape{2050, 2}}) {
    SCOPED_TRACE(shape.str());
    compare(normal(shape, dtype(), 0.0, 3.0), of(turning_labels(shape[0], shape[1], 3), {shape[0]}, DType::i64), 0.1);
  }
}

TEST_P(LossTest, SoftmaxCrossEntropyOfNoRows) { compare(normal({0, 10}, dtype()), of({}, {0}, DType::i64), 0.1); }

TEST_P(LossTest, SoftmaxCrossEntropyDoesNotOverflow) {
  const Pair logits = of({1000.0, -1000.0, 0.0, 500.0, 500.0, 500.0, -3e4, -3e4, 3e4}, {3, 3}, dtype());
  compare(logits, of({1, 2, 0}, {3}, DType::i64), 0.0);
}

TEST_P(LossTest, SoftmaxCrossEntropyOfNanIsNan) {
  const Pair logits = of({0.0, NAN, 1.0, 1.0, 2.0, 3.0}, {2, 3}, dtype());
  const Pair labels = of({0, 1}, {2}, DType::i64);
  const Pair loss = output({1}, DType::f32);
  backend().softmax_cross_entropy(logits.tested, labels.tested, 0.0, loss.tested, {});
  EXPECT_TRUE(std::isnan(values_of(loss.tested)[0]));
}

TEST_P(LossTest, CountCorrect) {
  for (const Shape& shape : {Shape{1, 1}, Shape{0, 5}, Shape{100, 10}, Shape{33, 7}, Shape{4, 100}, Shape{3, 1000},
                             Shape{2, 8200}, Shape{5, 8}}) {
    misalign(shape[1] == 8);
    for (const std::int64_t k : {1, 5, 200}) {
      SCOPED_TRACE(shape.str() + ", top " + std::to_string(k));
      const Pair logits = normal(shape, dtype());
      const Pair labels = of(turning_labels(shape[0], shape[1], 4), {shape[0]}, DType::i64);
      const Pair count = output({1}, DType::i64);
      backend().count_correct(logits.tested, labels.tested, k, count.tested);
      oracle().count_correct(logits.exact, labels.exact, k, count.exact);
      expect_close("count", count, 0.0);
    }
  }
}

TEST_P(LossTest, CountCorrectOfEqualsAndNan) {
  const double inf = INFINITY;
  const Pair logits = of(
      {
          1.0, 1.0, 1.0,   // label 0: the first of equals is the largest
          1.0, 1.0, 1.0,   // label 1: the second of equals
          NAN, 0.0, 9.0,   // label 2: a row with a NaN is wrong
          5.0, 0.0, NAN,   // label 0: the same with the NaN elsewhere
          -inf, inf, 0.0,  // label 1
          9.0, 0.0, 0.0,   // ignored
      },
      {6, 3}, dtype());
  const Pair labels = of({0, 1, 2, 0, 1, -1}, {6}, DType::i64);
  const std::vector<double> expected = {2.0, 3.0, 3.0};
  for (std::int64_t k = 1; k <= 3; ++k) {
    const Pair count = output({1}, DType::i64);
    backend().count_correct(logits.tested, labels.tested, k, count.tested);
    EXPECT_EQ(values_of(count.tested)[0], expected[static_cast<std::size_t>(k - 1)]) << "k = " << k;
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, LossTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
