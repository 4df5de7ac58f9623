#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/backend/onnx_fixture.h"

namespace graft::testing {

namespace {

class OnnxBatchNorm : public OnnxTest {};
class OnnxBatchNormTraining : public OnnxTest {};
class OnnxSoftmaxCrossEntropy : public OnnxTest {};

/// The optimizers' vectors hold R, T, then one of each state a parameter: X1 X2 .. G1 G2 .. V1 V2 ..
class OnnxOptimizer : public OnnxTest {
 protected:
  std::vector<Tensor> states(std::size_t which, std::size_t kinds) {
    const std::size_t count = (vector().inputs.size() - 2) / kinds;
    std::vector<Tensor> result;
    for (std::size_t i = 0; i < count; ++i) result.push_back(input(2 + which * count + i));
    return result;
  }

  /// ONNX adds norm_coefficient * X to the gradient.
  void regularise(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients) {
    const Tensor factor = tensor({1}, {vector().float_or("norm_coefficient", 0.0)});
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const Tensor decay = empty(parameters[i].shape());
      reference().scale(parameters[i], factor, decay);
      reference().accumulate(decay, gradients[i]);
    }
  }

  void expect_outputs(const std::vector<std::vector<Tensor>>& kinds) {
    std::size_t output = 0;
    for (const std::vector<Tensor>& kind : kinds) {
      for (const Tensor& t : kind) expect_output(output++, t, 8.0, largest(values_of(t)));
    }
    EXPECT_EQ(output, vector().outputs.size());
  }

  Tensor lr() { return input(0).reshape({1}); }
};
class OnnxMomentum : public OnnxOptimizer {};
class OnnxAdam : public OnnxOptimizer {};

/// [N, C, d1, ...] as images, the dimensions after the second folded into two.
Tensor as_images(const Tensor& x) {
  return x.rank() == 2 ? x.reshape({x.dim(0), x.dim(1), 1, 1})
                       : x.reshape({x.dim(0), x.dim(1), x.dim(2), x.numel() / (x.dim(0) * x.dim(1) * x.dim(2))});
}

}  // namespace

TEST_P(OnnxBatchNorm, MeetsTheVector) {
  const Tensor x = channels_last(0);
  const Tensor y = empty(x.shape());
  const BatchNormOptions options{.eps = vector().float_or("epsilon", 1e-5)};
  reference().batch_norm_eval(x, {}, input(1), input(2), input(3), input(4), options, y);
  expect_output(0, channels_first(y), 4.0, largest(values_of(y)) + 4.0);
}

TEST_P(OnnxBatchNormTraining, MeetsTheVector) {
  const Tensor x = channels_last(0);
  const Tensor y = empty(x.shape());
  const Tensor running_mean = input(3);
  const Tensor running_var = input(4);
  const std::vector<double> old_var = values_of(running_var);
  // ONNX's momentum is the weight of the old statistics.
  const double kept = vector().float_or("momentum", 0.9);
  const BatchNormOptions options{.eps = vector().float_or("epsilon", 1e-5), .momentum = 1.0 - kept};
  reference().batch_norm_train(x, {}, input(1), input(2), options, running_mean, running_var, {}, y,
                               empty(running_mean.shape()), empty(running_mean.shape()));
  const double rows = static_cast<double>(x.numel() / x.dim(3));
  expect_output(0, channels_first(y), 8.0, largest(values_of(y)) + 8.0);
  expect_output(1, running_mean, std::sqrt(rows), largest(values_of(x)));
  // ONNX keeps the biased variance, graft and PyTorch the unbiased one.
  std::vector<double> biased = values_of(running_var);
  for (std::size_t c = 0; c < biased.size(); ++c) {
    biased[c] = kept * old_var[c] + (biased[c] - kept * old_var[c]) * (rows - 1.0) / rows;
  }
  expect_output(2, tensor(running_var.shape(), biased), std::sqrt(rows), largest(values_of(running_var)));
}

TEST_P(OnnxSoftmaxCrossEntropy, MeetsTheVector) {
  const Tensor scores = as_images(input(0));
  const Tensor rows = empty({scores.dim(0), scores.dim(2), scores.dim(3), scores.dim(1)});
  reference().nchw_to_nhwc(scores, rows);
  const Tensor logits = rows.reshape({rows.numel() / rows.dim(3), rows.dim(3)});
  std::vector<double> labels = vector().inputs[1].values;
  double used = 0.0;
  for (double& label : labels) {
    if (vector().ints.contains("ignore_index") && label == static_cast<double>(vector().int_or("ignore_index", 0))) {
      label = -1.0;
    }
    used += label >= 0.0 ? 1.0 : 0.0;
  }
  const Tensor label_tensor = tensor({logits.dim(0)}, labels, DType::i64);
  const std::string reduction = vector().string_or("reduction", "mean");
  const double magnitude = 2.0 * largest(values_of(logits)) + std::log(static_cast<double>(logits.dim(1)));
  const auto mean = [&](std::int64_t begin, std::int64_t end) {
    const Tensor loss = empty({1});
    reference().softmax_cross_entropy(logits.slice(begin, end), label_tensor.slice(begin, end), 0.0, loss, {});
    return values_of(loss)[0];
  };
  if (reduction == "none") {
    std::vector<double> losses;
    for (std::int64_t n = 0; n < logits.dim(0); ++n) losses.push_back(mean(n, n + 1));
    expect_output(0, tensor({logits.dim(0)}, losses), static_cast<double>(logits.dim(1)), magnitude);
  } else {
    const double loss = mean(0, logits.dim(0)) * (reduction == "sum" ? used : 1.0);
    expect_output(0, tensor({1}, {loss}), static_cast<double>(logits.dim(1)),
                  reduction == "sum" ? magnitude * used : magnitude);
  }
}

TEST_P(OnnxMomentum, MeetsTheVector) {
  // At T = 0 ONNX takes the gradient in whole, as SGD without dampening does at every step.
  ASSERT_EQ(vector().inputs[1].values[0], 0.0);
  const std::vector<Tensor> x = states(0, 3);
  const std::vector<Tensor> g = states(1, 3);
  const std::vector<Tensor> v = states(2, 3);
  reference().sgd_step(x, g, v, lr(), {},
                       {.momentum = vector().float_or("alpha", 0.0),
                        .weight_decay = vector().float_or("norm_coefficient", 0.0),
                        .nesterov = vector().string_or("mode", "standard") == "nesterov"});
  expect_outputs({x, v});
}

TEST_P(OnnxAdam, MeetsTheVector) {
  // At T = 0 ONNX corrects no bias: so does AdamW once beta^step is 0.
  ASSERT_EQ(vector().inputs[1].values[0], 0.0);
  ASSERT_EQ(vector().float_or("norm_coefficient_post", 0.0), 0.0);
  const std::vector<Tensor> x = states(0, 4);
  const std::vector<Tensor> g = states(1, 4);
  const std::vector<Tensor> v = states(2, 4);
  const std::vector<Tensor> h = states(3, 4);
  regularise(x, g);
  // adam_multiple was made with an epsilon of 1e-2 (its outputs give it back to four digits) that its model leaves out.
  const double eps = vector().float_or("epsilon", 1e-2);
  reference().adamw_step(x, g, v, h, lr(), tensor({1}, {1e9}, DType::i64), {},
                         {.beta1 = vector().float_or("alpha", 0.9),
                          .beta2 = vector().float_or("beta", 0.999),
                          .eps = eps,
                          .weight_decay = 0.0});
  expect_outputs({x, v, h});
}

INSTANTIATE_TEST_SUITE_P(Vectors, OnnxBatchNorm, ::testing::Values("batchnorm_example", "batchnorm_epsilon"),
                         onnx_name);
INSTANTIATE_TEST_SUITE_P(Vectors, OnnxBatchNormTraining,
                         ::testing::Values("batchnorm_example_training_mode", "batchnorm_epsilon_training_mode"),
                         onnx_name);
INSTANTIATE_TEST_SUITE_P(Vectors, OnnxSoftmaxCrossEntropy,
                         ::testing::Values("sce_mean", "sce_mean_3d", "sce_mean_log_prob", "sce_mean_no_weight_ii",
                                           "sce_mean_no_weight_ii_3d", "sce_mean_no_weight_ii_4d", "sce_none",
                                           "sce_sum", "sce_NCd1d2d3_none_no_weight_negative_ii"),
                         onnx_name);
INSTANTIATE_TEST_SUITE_P(Vectors, OnnxMomentum, ::testing::Values("momentum", "momentum_multiple", "nesterov_momentum"),
                         onnx_name);
INSTANTIATE_TEST_SUITE_P(Vectors, OnnxAdam, ::testing::Values("adam", "adam_multiple"), onnx_name);

}  // namespace graft::testing
