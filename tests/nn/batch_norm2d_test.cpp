#include "engine/nn/batch_norm2d.h"

#include <gtest/gtest.h>

#include "engine/backend/registry.h"
#include "engine/nn/conv2d.h"
#include "engine/nn/init.h"
#include "engine/nn/sequential.h"
#include "engine/optim/optimizer.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

// A frozen stage under a trained one, trained for some steps; what of the frozen stage changes is what its policy
// promises.
class FrozenStage : public ::testing::TestWithParam<BatchNormPolicy> {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend({});
  Sequential network_;
  std::shared_ptr<Sequential> frozen_ = network_.add(std::make_shared<Sequential>());
  std::shared_ptr<Sequential> trained_ = network_.add(std::make_shared<Sequential>());

  void SetUp() override {
    for (const auto& stage : {frozen_, trained_}) {
      stage->add(std::make_shared<Conv2d>(*backend_, Conv2dConfig{.in_channels = 3, .out_channels = 3, .bias = false}));
      stage->add(std::make_shared<BatchNorm2d>(*backend_, 3, BatchNormOptions{.relu = true}));
    }
    initialize(network_.parameters(), 1, "test");
    initialize(network_.buffers(), 1, "test");
  }

  static std::vector<std::vector<double>> values_of(const std::vector<NamedVariable>& variables) {
    std::vector<std::vector<double>> values;
    for (const auto& [name, variable] : variables) values.push_back(to_host(variable.value()));
    return values;
  }

  void train(int steps) {
    const auto optimizer = make_sgd(network_.parameters(), {.momentum = 0.9, .weight_decay = 0.1});
    for (int step = 0; step < steps; ++step) {
      const auto seed = static_cast<std::uint64_t>(step);
      const Variable x(random_tensor(*backend_, {2, 7, 7, 3}, DType::f32, seed));
      const Variable y = network_.forward(x, {.training = true});
      backward(y, random_tensor(*backend_, y.shape(), DType::f32, 100 + seed));
      optimizer->step(0.1);
    }
  }
};

TEST_P(FrozenStage, KeepsWhatItsPolicyPromises) {
  frozen_->set_frozen(true, GetParam());
  const auto parameters = values_of(frozen_->parameters());
  const auto buffers = values_of(frozen_->buffers());
  const auto trained_parameters = values_of(trained_->parameters());
  const auto trained_buffers = values_of(trained_->buffers());
  train(3);
  EXPECT_EQ(values_of(frozen_->parameters()), parameters);
  const auto buffers_after = values_of(frozen_->buffers());
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    EXPECT_EQ(buffers_after[i] != buffers[i], GetParam() == BatchNormPolicy::update) << frozen_->buffers()[i].name;
  }
  for (std::size_t i = 0; i < trained_parameters.size(); ++i) {
    EXPECT_NE(values_of(trained_->parameters())[i], trained_parameters[i]) << trained_->parameters()[i].name;
  }
  for (std::size_t i = 0; i < trained_buffers.size(); ++i) {
    EXPECT_NE(values_of(trained_->buffers())[i], trained_buffers[i]) << trained_->buffers()[i].name;
  }
  EXPECT_EQ(values_of(trained_->buffers())[2], std::vector<double>{3}) << "batches tracked";
}

TEST_P(FrozenStage, UsesTheStatisticsOfItsPolicy) {
  const Variable x(random_tensor(*backend_, {2, 7, 7, 3}, DType::f32, 5));
  const NoGradScope no_grad;
  const auto output = [&](bool training) {
    const std::vector<double> values = to_host(frozen_->forward(x, {.training = training}).value());
    initialize(network_.buffers(), 1, "test");  // undo what an update did
    return values;
  };
  const std::vector<double> evaluating = output(false);
  const std::vector<double> by_batch = output(true);
  ASSERT_NE(evaluating, by_batch);
  frozen_->set_frozen(true, GetParam());
  EXPECT_EQ(output(false), evaluating);
  EXPECT_EQ(output(true), GetParam() == BatchNormPolicy::eval ? evaluating : by_batch);
}

INSTANTIATE_TEST_SUITE_P(Policies, FrozenStage,
                         ::testing::Values(BatchNormPolicy::eval, BatchNormPolicy::batch, BatchNormPolicy::update),
                         [](const auto& test) { return std::string(name_of(test.param)); });

TEST(BatchNorm2dLayer, AddsTheResidualBeforeTheRelu) {
  const auto backend = make_reference_backend({});
  BatchNorm2d layer(*backend, 2, {.relu = true});
  initialize(layer.parameters(), 1, "test");
  initialize(layer.buffers(), 1, "test");
  const Variable x(from_host(*backend, {1, 1, 1, 2}, DType::f32, {1.0, -3.0}));
  const Variable residual(from_host(*backend, {1, 1, 1, 2}, DType::f32, {-4.0, 5.0}));
  const std::vector<double> y = to_host(layer.forward(x, residual, {}).value());
  EXPECT_EQ(y[0], 0.0);
  EXPECT_NEAR(y[1], 2.0, 3e-5) << "3 eps / 2 of the variance 1 + eps is missing from 5 - 3";
}

}  // namespace
}  // namespace graft::testing
