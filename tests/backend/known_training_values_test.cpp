#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/backend/known_values.h"

namespace graft::testing {

namespace {

using KnownTrainingValuesTest = KnownValuesTest;

}  // namespace

TEST_P(KnownTrainingValuesTest, BatchNorm) {
  const BatchNormOptions options{.eps = 1e-3, .momentum = 0.2, .relu = true};
  const Shape shape{6, 2};
  const Tensor x = in(shape, affine(2.0, 1.0, sevens(12)));
  const Tensor residual = in(shape, fives(12));
  const Tensor scale = in({2}, {1.5, -0.5});
  const Tensor running_mean = in({2}, {0.5, -1.0});
  const Tensor running_var = in({2}, {2.0, 0.25});
  const Tensor y = out(shape);
  const Tensor mean = out({2});
  const Tensor inverse = out({2});
  const std::size_t bytes = backend().batch_norm_scratch_bytes(shape, dtype());
  backend().batch_norm_train(x, residual, scale, in({2}, {0.25, 0.75}), options, running_mean, running_var,
                             scratch(bytes), y, mean, inverse);
  expect("y", y,
         {0.0, 0.10213069549519543, 1.5662998790584939, 0.8864346522524023, 2.8901995162339755, 0.07669566846844966,
          0.0, 0.8919566846844971, 0.0, 1.6762606414417038, 0.6325997581169878, 0.8665216576577514});
  expect("running mean", running_mean, {0.6000000000000001, -0.6166666666666667});
  expect("running var", running_var, {1.705, 0.3783333333333334});

  Values reversed = fives(12);
  std::reverse(reversed.begin(), reversed.end());
  const Tensor dx = out(shape);
  const Tensor dresidual = out(shape);
  const Tensor dscale = out({2});
  const Tensor dshift = out({2});
  backend().batch_norm_train_backward(in(shape, reversed), x, y, scale, mean, inverse, options, scratch(bytes), dx,
                                      dresidual, dscale, dshift);
  expect("dx", dx,
         {-0.054671292010968216, 0.19528034991743887, 0.02733564600548414, 0.2646423115279077, 0.3924925235511835,
          -0.0602514754274855, 0.2681906686837261, -0.3851452623828786, -0.21610227235831542, -0.31578330077240996,
          -0.41724527387110993, 0.30125737713742745});
  expect("dresidual", dresidual, {0.0, -0.75, 0.25, -0.375, 0.625, 0.0, 0.0, 0.375, 0.0, 0.75, 0.125, -0.5});
  expect("dscale", dscale, {1.1325997581169878, -1.2800647855860823});
  expect("dshift", dshift, {1.0, -0.5});
}

TEST_P(KnownTrainingValuesTest, SoftmaxCrossEntropy) {
  const Tensor logits = in({3, 5}, affine(4.0, 0.0, sevens(15)));
  const Tensor loss = out({1});
  const Tensor dlogits = out({3, 5});
  backend().softmax_cross_entropy(logits, of({1, -1, 4}, {3}, DType::i64).tested, 0.2, loss, dlogits);
  expect("loss", loss, {2.4819358913878755});
  expect("dlogits", dlogits,
         {-0.011566762119010882, -0.14072951609588075, 0.017795150038789873, -0.014884982664530099, 0.14938611084063189,
          0.0, 0.0, 0.0, 0.0, 0.0, 0.05929409212316457, -0.009268711583521463, 0.3353714660107663, 0.028094298006777336,
          -0.4134911445571868});
}

TEST_P(KnownTrainingValuesTest, Sgd) {
  for (const bool nesterov : {false, true}) {
    const SgdOptions options{.momentum = 0.9, .weight_decay = 0.01, .nesterov = nesterov};
    expect_after_three_steps(
        [&](const auto& p, const auto& gradient, const auto& velocity, const auto&, const Tensor& lr, const Tensor&) {
          backend().sgd_step(p, gradient, velocity, lr, {}, options);
        },
        nesterov ? Values{0.26489045819099993, -1.783052330807, 0.34311156467049997}
                 : Values{0.5191847489999999, -1.8486595730000002, 0.3265772995000001});
  }
}

TEST_P(KnownTrainingValuesTest, AdamW) {
  const AdamWOptions options{.beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6, .weight_decay = 0.1};
  expect_after_three_steps(
      [&](const auto& p, const auto& gradient, const auto& first, const auto& second, const Tensor& lr,
          const Tensor& step) { backend().adamw_step(p, gradient, first, second, lr, step, {}, options); },
      {0.6776481125649506, -1.6435891880352478, 0.3421668794082666});
}

TEST_P(KnownTrainingValuesTest, ClipScale) {
  const std::vector<Tensor> gradients = {in({2}, {3.0, 0.0}), in({2}, {0.0, -4.0})};
  const Tensor factor = out({1});
  const Tensor norm = out({1});
  backend().clip_scale(gradients, 2.0, scratch(backend().clip_scratch_bytes(gradients)), factor, norm);
  const Tensor clipped = out({2});
  backend().scale(gradients[0], factor, clipped);
  expect("norm", norm, {5.0});
  expect("clipped", clipped, {1.199999760000048, 0.0});
}

INSTANTIATE_TEST_SUITE_P(Backends, KnownTrainingValuesTest, ::testing::ValuesIn(known_values_params()),
                         kernel_param_name);

}  // namespace graft::testing
