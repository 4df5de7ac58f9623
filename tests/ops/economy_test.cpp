#include <gtest/gtest.h>

#include "engine/ops/batch_norm.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/flatten.h"
#include "engine/ops/linear.h"
#include "engine/ops/max_pool2d.h"
#include "engine/ops/relu.h"
#include "engine/ops/softmax_cross_entropy.h"
#include "tests/ops/counting_backend.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

// What is not needed is neither computed nor kept.
class Economy : public ::testing::Test {
 protected:
  CountingBackend backend_;
  Conv2dOptions same_{.window = {.padding = Padding2d::same(1)}};
  BatchNormStatistics running_ = BatchNormStatistics::running;

  Variable image() { return random_leaf(backend_, {2, 4, 4, 3}, 1, false); }
  Variable kernel(std::uint64_t seed, bool trained) { return random_leaf(backend_, {3, 3, 3, 3}, seed, trained); }
  Tensor ones() {
    const Tensor result = backend_.empty({3}, DType::f64);
    backend_.fill(1.0, result);
    return result;
  }
};

TEST_F(Economy, AFrozenPrefixKeepsNothingButItsOutput) {
  const Variable w = kernel(1, false);
  const Variable scale(ones());
  const Variable shift(ones());
  const Tensor running = ones();
  Variable x = image();
  const std::size_t before = backend_.bytes_in_use();
  Conv2dOptions with_relu = same_;
  with_relu.relu = true;
  for (int i = 0; i < 3; ++i) {
    x = conv2d(x, w, {}, with_relu);
    x = batch_norm(x, x, scale, shift, running, running, running_, {.relu = true});
    x = relu(x);
  }
  // The image was let go of too, so exactly one tensor of its size remains.
  EXPECT_EQ(backend_.bytes_in_use(), before);
}

TEST_F(Economy, AFrozenPrefixGetsNoBackward) {
  const Variable frozen = kernel(1, false);
  const Variable frozen_bias(ones());
  const Variable trained = kernel(2, true);
  const Variable last = kernel(3, true);
  const Variable features = conv2d(image(), frozen, frozen_bias, same_);
  const Variable y = conv2d(conv2d(features, trained, {}, same_), last, {}, same_);
  backend_.forget();
  backward(y, y.value());
  EXPECT_EQ(backend_.calls("conv2d_backward_weights"), 2) << "the two that are trained";
  EXPECT_EQ(backend_.calls("conv2d_backward_data"), 1) << "through the last, not through the first trained one";
  EXPECT_EQ(backend_.calls(), 3) << "and nothing else";
}

TEST_F(Economy, AFrozenLayerAboveATrainedOneKeepsNoInput) {
  const Variable w1 = kernel(1, true);
  const Variable w2 = kernel(2, false);
  const Variable scale(ones());
  const Variable shift(ones());
  const Tensor running = ones();
  const Variable x = image();
  const std::size_t image_bytes = x.value().nbytes();
  const std::size_t before = backend_.bytes_in_use();
  Variable y = conv2d(x, w1, {}, same_);
  y = conv2d(y, w2, {}, same_);
  y = batch_norm(y, {}, scale, shift, running, running, running_, {});
  EXPECT_EQ(backend_.bytes_in_use() - before, image_bytes) << "only the last output, which y holds";
  backward(y, y.value());
  EXPECT_TRUE(w1.grad().defined());
}

TEST_F(Economy, TrainedLayersKeepTheirInputsAlone) {
  const Variable w1 = kernel(1, true);
  const Variable w2 = kernel(2, true);
  const Variable x = image();
  const std::size_t image_bytes = x.value().nbytes();
  const std::size_t before = backend_.bytes_in_use();
  const Variable y = conv2d(conv2d(x, w1, {}, same_), w2, {}, same_);
  EXPECT_EQ(backend_.bytes_in_use() - before, 2 * image_bytes) << "the second one's input and y";
}

TEST_F(Economy, ABiasAloneCostsASum) {
  const Variable bias(ones(), true);
  const Variable y = conv2d(image(), kernel(1, false), bias, same_);
  backend_.forget();
  backward(y, y.value());
  EXPECT_EQ(backend_.calls("sum_rows"), 1);
  EXPECT_EQ(backend_.calls(), 1);
}

TEST_F(Economy, TheLossComputesItsGradientOnceAndOnlyIfWanted) {
  const Tensor labels = from_host(backend_, {2}, DType::i64, {0, 1});
  const Variable logits = random_leaf(backend_, {2, 5}, 1);
  {
    const NoGradScope no_grad;
    softmax_cross_entropy(logits, labels, 0.0);
    EXPECT_EQ(backend_.calls("softmax_cross_entropy with gradient"), 0);
  }
  backend_.forget();
  backward(softmax_cross_entropy(logits, labels, 0.0));
  EXPECT_EQ(backend_.calls("softmax_cross_entropy with gradient"), 1);
  EXPECT_EQ(backend_.calls(), 1) << "no ones are filled in and nothing is scaled";
}

// In bf16 the f32 parameters are converted once, however often they are used, and gradients come back in f32.
TEST_F(Economy, Bf16ConvertsAParameterOnceAStep) {
  Variable w(random_tensor(backend_, {3, 3, 3, 3}, DType::f32, 1), true);
  Variable bias(random_tensor(backend_, {3}, DType::f32, 2), true);
  const Variable x(random_tensor(backend_, {2, 4, 4, 3}, DType::bf16, 3));
  for (int step = 1; step <= 2; ++step) {
    const Variable y = conv2d(conv2d(x, w, bias, same_), w, bias, same_);
    EXPECT_EQ(y.dtype(), DType::bf16);
    backward(y, y.value());
    EXPECT_EQ(w.grad().dtype(), DType::f32);
    EXPECT_EQ(bias.grad().dtype(), DType::f32);
    EXPECT_EQ(backend_.calls("cast"), step);
    w.mark_changed();
  }
}

TEST_F(Economy, NothingOfAStepIsLeft) {
  const Tensor labels = from_host(backend_, {2}, DType::i64, {0, 1});
  Variable w = kernel(1, true);
  Variable head = random_leaf(backend_, {5, 12}, 2);
  Variable scale(ones(), true);
  Variable shift(ones(), true);
  const Variable x = image();
  const std::size_t before = backend_.bytes_in_use();
  {
    Variable y = conv2d(x, w, {}, same_);
    y = batch_norm(y, y, scale, shift, {}, {}, BatchNormStatistics::batch, {.relu = true});
    y = flatten(max_pool2d(y, {}));
    const Variable loss = softmax_cross_entropy(linear(y, head, {}), labels, 0.1);
    backward(loss);
    const std::size_t gradients = w.grad().nbytes() + head.grad().nbytes() + 2 * scale.grad().nbytes();
    // The logits live in no variable any more; y, the pooled features, and the loss do.
    EXPECT_EQ(backend_.bytes_in_use() - before, gradients + y.value().nbytes() + loss.value().nbytes());
  }
  for (Variable* parameter : {&w, &head, &scale, &shift}) parameter->clear_grad();
  EXPECT_EQ(backend_.bytes_in_use(), before);
}

}  // namespace
}  // namespace graft::testing
