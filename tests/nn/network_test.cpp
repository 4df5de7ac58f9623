#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/cpu/cpu_backend.h"
#include "engine/nn/activation.h"
#include "engine/nn/batch_norm2d.h"
#include "engine/nn/conv2d.h"
#include "engine/nn/init.h"
#include "engine/nn/linear.h"
#include "engine/nn/pool2d.h"
#include "engine/nn/sequential.h"
#include "engine/ops/softmax_cross_entropy.h"
#include "engine/optim/optimizer.h"
#include "engine/reference/reference_backend.h"
#include "tests/nn/noisy_backend.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

constexpr std::int64_t kBatch = 8;
constexpr std::int64_t kSize = 11;  // odd, so that borders count
constexpr std::int64_t kClasses = 5;

// Convolution, max pooling, linear: every layer with a bias, ReLUs fused.
std::shared_ptr<Module> plain_network(Backend& backend) {
  auto network = std::make_shared<Sequential>();
  const Conv2dOptions options{.window = {.padding = Padding2d::same(1)}, .relu = true};
  network->add(
      std::make_shared<Conv2d>(backend, Conv2dConfig{.in_channels = 3, .out_channels = 8, .options = options}));
  network->add(std::make_shared<MaxPool2d>());
  network->add(
      std::make_shared<Conv2d>(backend, Conv2dConfig{.in_channels = 8, .out_channels = 6, .options = options}));
  network->add(std::make_shared<Flatten>());
  network->add(
      std::make_shared<Linear>(backend, LinearConfig{.in_features = 6 * 25, .out_features = 16, .relu = true}));
  network->add(std::make_shared<Linear>(backend, LinearConfig{.in_features = 16, .out_features = kClasses}));
  return network;
}

// The ResNet block: convolution, batch norm, ReLU, convolution, batch norm, residual, ReLU.
class Block : public Module {
 public:
  explicit Block(Backend& backend) {
    const Conv2dConfig conv{
        .in_channels = 8, .out_channels = 8, .options = {.window = {.padding = Padding2d::same(1)}}, .bias = false};
    conv1_ = add_module("conv1", std::make_shared<Conv2d>(backend, conv));
    bn1_ = add_module("bn1", std::make_shared<BatchNorm2d>(backend, 8, BatchNormOptions{.relu = true}));
    conv2_ = add_module("conv2", std::make_shared<Conv2d>(backend, conv));
    bn2_ = add_module("bn2", std::make_shared<BatchNorm2d>(backend, 8, BatchNormOptions{.relu = true}));
  }
  Variable forward(const Variable& x, const ForwardContext& context) override {
    const Variable y = bn1_->forward(conv1_->forward(x, context), context);
    return bn2_->forward(conv2_->forward(y, context), x, context);
  }

 private:
  std::shared_ptr<Conv2d> conv1_;
  std::shared_ptr<BatchNorm2d> bn1_;
  std::shared_ptr<Conv2d> conv2_;
  std::shared_ptr<BatchNorm2d> bn2_;
};

std::shared_ptr<Module> residual_network(Backend& backend) {
  auto network = std::make_shared<Sequential>();
  network->add(std::make_shared<Conv2d>(
      backend,
      Conv2dConfig{.in_channels = 3, .out_channels = 8, .options = {.window = {.stride = {2, 2}}}, .bias = false}));
  network->add(std::make_shared<BatchNorm2d>(backend, 8, BatchNormOptions{.relu = true}));
  network->add(std::make_shared<Block>(backend));
  network->add(std::make_shared<AvgPool2d>());
  network->add(std::make_shared<GlobalAvgPool>());
  network->add(std::make_shared<Linear>(backend, LinearConfig{.in_features = 8, .out_features = kClasses}));
  return network;
}

using MakeNetwork = std::shared_ptr<Module> (*)(Backend&);

struct Outcome {
  double loss = 0.0;
  std::vector<NamedVariable> parameters;
  std::vector<NamedVariable> buffers;
};

// Moves every element of every parameter up or down by `relative` of itself.
void perturb(Module& network, double relative) {
  std::uint64_t seed = 0;
  for (auto& [name, parameter] : network.parameters()) {
    std::vector<double> values = to_host(parameter.value());
    const std::vector<double> signs = random_values(parameter.value().numel(), 1000 + seed++);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] *= 1.0 + std::copysign(relative, signs[i]);
    parameter.set_value(from_host(parameter.backend(), parameter.shape(), parameter.dtype(), values));
  }
}

Outcome forward_and_backward(Backend& backend, MakeNetwork make, DType compute, double perturbation = 0.0) {
  const auto network = make(backend);
  if (compute == DType::f64) network->convert(DType::f64);
  initialize(network->parameters(), 1, "test");
  initialize(network->buffers(), 1, "test");
  if (perturbation > 0.0) perturb(*network, perturbation);
  // Images with no ReLU and no maximum so near its kink that rounding alone decides much of a gradient; rounded to bf16
  // first, so that all dtypes see the same images.
  std::vector<double> pixels = random_values(kBatch * kSize * kSize * 3, 8);
  for (double& pixel : pixels) pixel = static_cast<double>(static_cast<float>(bfloat16(static_cast<float>(pixel))));
  const Variable x(from_host(backend, {kBatch, kSize, kSize, 3}, compute, pixels));
  const Tensor labels = from_host(backend, {kBatch}, DType::i64, {1, 4, 0, 2, 3, 3, 1, 0});
  const Variable loss = softmax_cross_entropy(network->forward(x, {.training = true}), labels, 0.1);
  backward(loss);
  return {to_host(loss.value())[0], network->parameters(), network->buffers()};
}

double norm(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum);
}

double relative_distance(const std::vector<double>& values, const std::vector<double>& expected) {
  std::vector<double> difference = values;
  for (std::size_t i = 0; i < difference.size(); ++i) difference[i] -= expected[i];
  return norm(difference) / std::max(norm(expected), 1e-30);
}

class Network : public ::testing::TestWithParam<MakeNetwork> {
 protected:
  // How far rounding to `unit` may move a result depends on the network: batch norm's gradient is a difference of
  // larger terms, and a ReLU near its kink flips. So it is measured, in f64 with noise of that size where a backend
  // would round; a draw of such noise may fall short of another, and sums are rounded inside too: a factor of four.
  static constexpr double kSpread = 4.0;

  // The distance of a result from `exact`, at most, over some draws of noise of size `unit`.
  template <class Result>
  static double sensitivity(const std::vector<Outcome>& moved, const Outcome& exact, const Result& result) {
    double largest = 0.0;
    for (const Outcome& draw : moved) largest = std::max(largest, relative_distance(result(draw), result(exact)));
    return largest;
  }

  void expect_like_f64(Backend& backend, DType compute, double unit) {
    ReferenceBackend reference;
    const Outcome exact = forward_and_backward(reference, GetParam(), DType::f64);
    NoisyBackend noisy(unit);
    std::vector<Outcome> moved;
    for (int draw = 0; draw < 4; ++draw) {
      moved.push_back(forward_and_backward(noisy, GetParam(), DType::f64, unit));
    }
    const Outcome outcome = forward_and_backward(backend, GetParam(), compute);
    const auto expect_close = [&](const std::string& name, const auto& result) {
      const double allowed = sensitivity(moved, exact, result);
      EXPECT_LT(allowed, 0.2) << name << ": the network is too sensitive to tell anything";
      EXPECT_LT(relative_distance(result(outcome), result(exact)), kSpread * std::max(unit, allowed)) << name;
    };
    expect_close("loss", [](const Outcome& of) { return std::vector<double>{of.loss}; });
    for (std::size_t i = 0; i < exact.parameters.size(); ++i) {
      ASSERT_EQ(outcome.parameters[i].variable.grad().dtype(), DType::f32) << exact.parameters[i].name;
      expect_close(exact.parameters[i].name,
                   [i](const Outcome& of) { return to_host(of.parameters[i].variable.grad()); });
    }
    for (std::size_t i = 0; i < exact.buffers.size(); ++i) {
      expect_close(exact.buffers[i].name, [i](const Outcome& of) { return to_host(of.buffers[i].variable.value()); });
    }
  }
};

TEST_P(Network, OnTheReferenceInF32) {
  ReferenceBackend backend;
  expect_like_f64(backend, DType::f32, 0x1p-24);
}

TEST_P(Network, OnTheReferenceInBf16) {
  ReferenceBackend backend;
  expect_like_f64(backend, DType::bf16, 0x1p-9);
}

// Sums of some hundred terms are rounded at each term here: about four units instead of one.
TEST_P(Network, OnTheCpuInF32) {
  const auto backend = make_cpu_backend({});
  expect_like_f64(*backend, DType::f32, 4 * 0x1p-24);
}

TEST_P(Network, OnTheCpuInBf16) {
  const auto backend = make_cpu_backend({});
  if (!backend->supports(DType::bf16)) GTEST_SKIP() << "bf16 needs AVX-512";
  expect_like_f64(*backend, DType::bf16, 0x1p-9);
}

// Both round to bf16 at the same places, so only f32 sums that lie at the edge between two bf16 numbers tell them
// apart: far fewer than all, so far less than one unit times what the test above allows.
TEST_P(Network, RoundsOnTheCpuWhereTheReferenceDoes) {
  const auto backend = make_cpu_backend({});
  if (!backend->supports(DType::bf16)) GTEST_SKIP() << "bf16 needs AVX-512";
  ReferenceBackend reference;
  const Outcome expected = forward_and_backward(reference, GetParam(), DType::bf16);
  const Outcome outcome = forward_and_backward(*backend, GetParam(), DType::bf16);
  for (std::size_t i = 0; i < expected.parameters.size(); ++i) {
    EXPECT_LT(relative_distance(to_host(outcome.parameters[i].variable.grad()),
                                to_host(expected.parameters[i].variable.grad())),
              4 * 0x1p-9)
        << expected.parameters[i].name;
  }
}

// The same steps on two backends lead to the same place, and the loss falls.
TEST_P(Network, TrainsOnTheCpuAsOnTheReference) {
  const auto train = [](Backend& backend, DType compute) {
    const auto network = GetParam()(backend);
    if (compute == DType::f64) network->convert(DType::f64);
    initialize(network->parameters(), 1, "test");
    initialize(network->buffers(), 1, "test");
    const auto optimizer = make_sgd(network->parameters(), {.momentum = 0.9, .weight_decay = 5e-4});
    const Variable x(random_tensor(backend, {kBatch, kSize, kSize, 3}, compute, 2));
    const Tensor labels = from_host(backend, {kBatch}, DType::i64, {1, 4, 0, 2, 3, 3, 1, 0});
    std::vector<double> losses;
    for (int step = 0; step < 4; ++step) {
      const Variable loss = softmax_cross_entropy(network->forward(x, {.training = true}), labels, 0.0);
      backward(loss);
      optimizer->step(0.02, 5.0);
      losses.push_back(to_host(loss.value())[0]);
    }
    return losses;
  };
  ReferenceBackend reference;
  const auto cpu = make_cpu_backend({});
  const std::vector<double> expected = train(reference, DType::f64);
  const std::vector<double> losses = train(*cpu, DType::f32);
  EXPECT_LT(expected.back(), expected.front());
  // Each step moves the weights by rounding errors that the next ones amplify.
  for (std::size_t i = 0; i < losses.size(); ++i) EXPECT_NEAR(losses[i], expected[i], 64.0 * 16.0 * 0x1p-24) << i;
}

// One step leaves nothing in memory but parameters, gradients and what the caller holds.
TEST_P(Network, LeavesNoMemoryBehind) {
  const auto backend = make_cpu_backend({});
  {
    const Outcome first = forward_and_backward(*backend, GetParam(), DType::f32);
    const std::size_t with_one = backend->bytes_in_use();
    const Outcome second = forward_and_backward(*backend, GetParam(), DType::f32);
    EXPECT_EQ(backend->bytes_in_use(), 2 * with_one);
  }
  EXPECT_EQ(backend->bytes_in_use(), 0u);
}

INSTANTIATE_TEST_SUITE_P(All, Network, ::testing::Values(plain_network, residual_network),
                         [](const auto& test) { return test.index == 0 ? "plain" : "residual"; });

}  // namespace
}  // namespace graft::testing
