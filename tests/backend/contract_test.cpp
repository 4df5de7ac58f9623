#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "tests/backend/kernel_test.h"

namespace graft::testing {

namespace {

/// Every backend refuses the same calls: the text begins with the operation, and what is wrong is named.
class ContractTest : public KernelTest {
 protected:
  Tensor t(const Shape& shape) { return backend().zeros(shape, dtype()); }
  Tensor f32(const Shape& shape) { return backend().zeros(shape, DType::f32); }
  Tensor i64(const Shape& shape) { return backend().zeros(shape, DType::i64); }

  static void refused(const std::string& begin, const std::string& part, const std::function<void()>& call) {
    try {
      call();
      ADD_FAILURE() << begin << " was not refused: " << part;
    } catch (const Error& error) {
      const std::string text = error.what();
      EXPECT_EQ(text.rfind(begin, 0), 0u) << text;
      EXPECT_NE(text.find(part), std::string::npos) << text << "\nlacks: " << part;
      EXPECT_EQ(text.find('\n'), std::string::npos) << "an error is one line: " << text;
    }
  }
};

}  // namespace

TEST_P(ContractTest, Conv2d) {
  const Tensor x = t({2, 5, 5, 3});
  const Tensor y = t({2, 3, 3, 4});
  refused("[conv2d]", "64", [&] { backend().conv2d_forward(x, t({4, 3, 3, 64}), {}, {}, {}, {}, y); });
  refused("[conv2d]", "y must be", [&] {
    backend().conv2d_forward(x, t({4, 3, 3, 3}), {}, {}, {}, {}, t({2, 5, 5, 4}));
  });
  refused("[conv2d]", "bias must be f32 [4]", [&] {
    backend().conv2d_forward(x, t({4, 3, 3, 3}), f32({3}), {}, {}, {}, y);
  });
  refused("[conv2d]", "w is undefined", [&] { backend().conv2d_forward(x, {}, {}, {}, {}, {}, y); });
  refused("[conv2d]", "groups", [&] { backend().conv2d_forward(x, t({4, 3, 3, 3}), {}, {}, {.groups = 2}, {}, y); });
  refused("[conv2d]", "padding", [&] {
    backend().conv2d_forward(x, t({4, 3, 3, 3}), {}, {}, {.window = {.padding = Padding2d::same(-1)}}, {}, y);
  });
  refused("[conv2d]", "shares memory", [&] {
    const Tensor square = t({1, 4, 4, 3});
    backend().conv2d_forward(square, t({3, 1, 1, 3}), {}, {}, {}, {}, square);
  });
  refused("[conv2d]", "residual must be", [&] {
    backend().conv2d_forward(x, t({4, 3, 3, 3}), {}, t({2, 3, 3, 5}), {}, {}, y);
  });
  refused("[conv2d]", "shares memory", [&] {
    const Tensor images = t({3, 3, 3, 4});
    backend().conv2d_forward(x, t({4, 3, 3, 3}), {}, images.slice(0, 2), {}, {}, images.slice(1, 3));
  });
  refused("[conv2d_backward_data]", "dy must be", [&] {
    backend().conv2d_backward_data(t({2, 4, 4, 4}), t({4, 3, 3, 3}), {}, {}, x);
  });
  refused("[conv2d_backward_weights]", "dbias must be", [&] {
    backend().conv2d_backward_weights(x, y, {}, {}, f32({4, 3, 3, 3}), f32({3}));
  });
}

TEST_P(ContractTest, TensorsOfAnotherBackend) {
  const Tensor mine = t({4});
  const Tensor other = oracle().zeros({4}, dtype());
  refused("[add]", "another backend", [&] { backend().add(mine, other, mine); });
  refused("[relu]", "another backend", [&] { backend().relu_forward(other, mine); });
}

TEST_P(ContractTest, Gemm) {
  refused("[gemm]", "does not fit", [&] { backend().gemm(t({2, 3}), t({4, 5}), {}, {}, {}, t({2, 5})); });
  refused("[gemm]", "transposed", [&] {
    backend().gemm(t({2, 3}), t({3, 5}), {}, {.transpose_a = true}, {}, t({2, 5}));
  });
  refused("[gemm]", "c must be", [&] { backend().gemm(t({2, 3}), t({3, 5}), {}, {}, {}, t({5, 2})); });
  refused("[gemm]", "bias must be f32 [5]", [&] { backend().gemm(t({2, 3}), t({3, 5}), f32({2}), {}, {}, t({2, 5})); });
  refused("[gemm]", "does not fit", [&] { backend().gemm(t({2, 2, 3}), t({3, 3, 5}), {}, {}, {}, t({2, 2, 5})); });
  refused("[sum_rows]", "y must be f32 [3]", [&] { backend().sum_rows(t({2, 3}), f32({2})); });
}

TEST_P(ContractTest, BatchNorm) {
  const Tensor x = t({2, 3, 3, 4});
  const Tensor c = f32({4});
  refused("[batch_norm_train]", "running_var is undefined", [&] {
    backend().batch_norm_train(x, {}, c, c, {}, f32({4}), {}, {}, t({2, 3, 3, 4}), f32({4}), f32({4}));
  });
  refused("[batch_norm_train]", "scale must be f32 [4]", [&] {
    backend().batch_norm_train(x, {}, f32({3}), c, {}, {}, {}, {}, t({2, 3, 3, 4}), f32({4}), f32({4}));
  });
  refused("[batch_norm_eval]", "residual must be", [&] {
    backend().batch_norm_eval(x, t({2, 3, 3, 5}), c, c, c, c, {}, t({2, 3, 3, 4}));
  });
  refused("[batch_norm_train_backward]", "y must be given with relu", [&] {
    backend().batch_norm_train_backward(x, x, {}, c, c, c, {.relu = true}, {}, t({2, 3, 3, 4}), {}, {}, {});
  });
  refused("[batch_norm_eval]", "exclude each other", [&] {
    backend().batch_norm_eval(x, {}, c, c, c, c, {.relu = true, .relu6 = true}, t({2, 3, 3, 4}));
  });
  refused("[batch_norm_eval_backward]", "both or neither",
          [&] { backend().batch_norm_eval_backward(x, x, {}, c, c, c, {}, {}, {}, {}, f32({4}), {}); });
}

TEST_P(ContractTest, Pooling) {
  const Tensor x = t({1, 4, 4, 2});
  refused("[pool2d]", "more than half", [&] {
    backend().max_pool2d_forward(x, {.window = {.stride = {2, 2}, .padding = Padding2d::same(2)}}, x, {});
  });
  refused("[max_pool2d]", "indices must be i32", [&] {
    backend().max_pool2d_forward(x, {}, t({1, 2, 2, 2}), i64({1, 2, 2, 2}));
  });
  refused("[avg_pool2d]", "dilation", [&] {
    backend().avg_pool2d_forward(x, {.window = {.stride = {2, 2}, .dilation = {2, 2}}}, t({1, 1, 1, 2}));
  });
  refused("[global_avg_pool]", "y must be", [&] { backend().global_avg_pool_forward(x, t({1, 4})); });
}

TEST_P(ContractTest, Elementwise) {
  const Tensor x = t({3, 4});
  refused("[add]", "b must be", [&] { backend().add(x, t({4, 3}), x); });
  refused("[add]", "shares memory", [&] {
    const Tensor whole = t({5});
    backend().add(whole.slice(0, 4), whole.slice(0, 4), whole.slice(1, 5));
  });
  refused("[copy]", "shares memory", [&] { backend().copy(x, x); });
  refused("[cast]", "cannot become", [&] { backend().cast(x, i64({3, 4})); });
  refused("[dropout]", "p must be in [0, 1), it is 1", [&] { backend().dropout(x, {.p = 1.0}, i64({1}), t({3, 4})); });
  refused("[dropout]", "step must be i64 [1]", [&] { backend().dropout(x, {}, f32({1}), t({3, 4})); });
  refused("[scale]", "factor must be f32 [1]", [&] { backend().scale(x, f32({2}), x); });
  refused("[relu]", "does not compute in", [&] { backend().relu_forward(i64({2}), i64({2})); });
  refused("[nhwc_to_nchw]", "rank 4", [&] { backend().nhwc_to_nchw(x, x); });
  refused("[normalize_images]", "x must be u8", [&] {
    backend().normalize_images(t({1, 2, 2, 3}), f32({3}), f32({3}), t({1, 2, 2, 3}));
  });
}

TEST_P(ContractTest, LossAndOptimizers) {
  const Tensor logits = t({4, 3});
  refused("[softmax_cross_entropy]", "labels must be i64 [4]",
          [&] { backend().softmax_cross_entropy(logits, i64({3}), 0.0, f32({1}), {}); });
  refused("[softmax_cross_entropy]", "label_smoothing must be in [0, 1]",
          [&] { backend().softmax_cross_entropy(logits, i64({4}), 1.5, f32({1}), {}); });
  refused("[count_correct]", "k must be at least 1", [&] { backend().count_correct(logits, i64({4}), 0, i64({1})); });
  const std::vector<Tensor> p = {f32({3})};
  refused("[sgd_step]", "0 tensors for 1 parameters", [&] { backend().sgd_step(p, {}, {}, f32({1}), {}, {}); });
  refused("[sgd_step]", "velocity must be empty",
          [&] { backend().sgd_step(p, std::vector<Tensor>{f32({3})}, p, f32({1}), {}, {}); });
  refused("[adamw_step]", "gradients must be f32 [3]", [&] {
    const std::vector<Tensor> wrong = {f32({4})};
    backend().adamw_step(p, wrong, wrong, wrong, f32({1}), i64({1}), {}, {});
  });
  refused("[advance]", "counter must be i64 [1]", [&] { backend().advance(f32({1})); });
  refused("[clip_scale]", "max_norm", [&] { backend().clip_scale(p, -1.0, {}, f32({1}), f32({1})); });
}

TEST_P(ContractTest, ScratchMustBeLargeEnough) {
  const Shape x{2, 8, 8, 32};
  const Shape w{32, 3, 3, 32};
  const Conv2dOptions options{.window = {.padding = Padding2d::same(1)}};
  const std::size_t bytes = backend().conv2d_forward_scratch_bytes(x, w, dtype(), options);
  if (bytes == 0) return;  // nothing to refuse
  refused("[conv2d", "scratch", [&] { backend().conv2d_forward(t(x), t(w), {}, {}, options, {}, t(x)); });
  refused("[conv2d", "scratch",
          [&] { backend().conv2d_forward(t(x), t(w), {}, {}, options, backend().scratch(bytes - 1), t(x)); });
}

INSTANTIATE_TEST_SUITE_P(Backends, ContractTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
