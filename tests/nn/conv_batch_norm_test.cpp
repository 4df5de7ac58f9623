#include "engine/nn/conv_batch_norm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "engine/base/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/nn/sequential.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

struct Case {
  std::string name;
  std::int64_t size;
  Conv2dConfig conv;
  BatchNormOptions norm;
  bool residual;
};

std::vector<Case> cases() {
  const Window2d same{.padding = Padding2d::same(1)};
  return {{"3x3",
           9,
           {.in_channels = 20, .out_channels = 33, .options = {.window = same}, .bias = false},
           {.relu = true},
           true},
          {"ReLU6",
           9,
           {.in_channels = 20, .out_channels = 12, .options = {.window = same}, .bias = false},
           {.relu6 = true},
           true},
          {"with a bias", 8, {.in_channels = 5, .out_channels = 7, .options = {.window = same}}, {}, false},
          {"1x1", 7, {.in_channels = 64, .out_channels = 32, .kernel = {1, 1}, .bias = false}, {.relu = true}, true},
          {"strided",
           9,
           {.in_channels = 6, .out_channels = 8, .options = {.window = {.stride = {2, 2}}, .groups = 2}, .bias = false},
           {},
           true},
          {"as TensorFlow pads",
           8,
           {.in_channels = 6,
            .out_channels = 6,
            .options = {.window = {.stride = {2, 2}}, .groups = 6},
            .bias = false,
            .same_padding = true},
           {.relu = true},
           false}};
}

/// Random parameters, and statistics as of a trained network: variances in [0.5, 1.5).
void fill(Module& module, std::uint64_t seed) {
  const auto set = [&](const NamedVariable& named) {
    Variable variable = named.variable;
    if (variable.dtype() == DType::i64) return;
    std::vector<double> values = random_values(variable.value().numel(), ++seed);
    const bool variance = named.name.find("running_var") != std::string::npos;
    for (double& value : values) value = variance ? 1.0 + 0.5 * value : value;
    variable.set_value(from_host(variable.backend(), variable.shape(), variable.dtype(), values));
  };
  for (const NamedVariable& named : module.parameters()) set(named);
  for (const NamedVariable& named : module.buffers()) set(named);
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// The pair of `c`, on `backend` in `dtype`.
struct Pair {
  std::shared_ptr<ConvBatchNorm> module;
  Variable x;
  Variable residual;

  Pair(Backend& backend, DType dtype, const Case& c)
      : module(std::make_shared<ConvBatchNorm>("conv", std::make_shared<Conv2d>(backend, c.conv), "bn", c.norm)) {
    fill(*module, 10);
    if (dtype == DType::f64) module->convert(DType::f64);
    x = Variable(from_f32(backend, {2, c.size, c.size, c.conv.in_channels}, dtype, 1));
    const NoGradScope no_grad;
    const Shape y = module->forward(x, {}).shape();
    if (c.residual) residual = Variable(from_f32(backend, y, dtype, 2));
  }
  /// Values that both dtypes hold.
  static Tensor from_f32(Backend& backend, const Shape& shape, DType dtype, std::uint64_t seed) {
    return from_host(backend, shape, dtype, random_values(shape.numel(), seed));
  }
  std::vector<double> run() {
    const NoGradScope no_grad;
    return to_host(module->forward(x, residual, {}).value());
  }
};

/// Against the unfolded pair in f64. A folded weight is w s, rounded once: a sum of K products and two more terms errs
/// by at most (K + 4) u of the sum of their absolute values (Higham 2002, 3.1: K + 2 roundings of the sum and two of
/// its factors), where Winograd may add its transforms' growth, 4 as in the kernels' tests, over the largest output.
void expect_folded(Backend& backend, DType dtype, double unit, const Case& c) {
  SCOPED_TRACE(c.name);
  const auto reference = make_reference_backend({});
  const std::vector<double> expected = Pair(*reference, DType::f64, c).run();
  Pair pair(backend, dtype, c);
  ASSERT_EQ(fold_batch_norm(*pair.module), 1);
  const std::vector<double> folded = pair.run();
  ASSERT_EQ(folded.size(), expected.size());
  if (c.norm.relu6) {
    EXPECT_EQ(*std::max_element(expected.begin(), expected.end()), 6.0);
  }
  // |x|, |w| < 1, the batch norm's |weight|, |bias| and |mean| < 1, var >= 0.5, |residual| < 1.
  const double terms =
      static_cast<double>(c.conv.kernel.height * c.conv.kernel.width * c.conv.in_channels / c.conv.options.groups);
  const double magnitude = (terms + 2.0) / std::sqrt(0.5) + 2.0;
  const double bound = 4.0 * (terms + 4.0) * unit * magnitude;
  double worst = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) worst = std::max(worst, std::abs(folded[i] - expected[i]));
  EXPECT_LE(worst, bound);
  EXPECT_GT(bound, 0.0);
}

TEST(ConvBatchNorm, FoldedAgreesWithUnfoldedInF64) {
  const auto reference = make_reference_backend({});
  for (const Case& c : cases()) expect_folded(*reference, DType::f64, 0x1p-53, c);
}

TEST(ConvBatchNorm, FoldedAgreesWithUnfoldedOnTheCpu) {
  CpuBackend backend{BackendOptions{.threads = 2}};
  for (const Case& c : cases()) expect_folded(backend, DType::f32, 0x1p-24, c);
}

TEST(ConvBatchNorm, UnfoldedIsTheTwoLayers) {
  const auto backend = make_reference_backend({});
  const Conv2dConfig config{.in_channels = 3, .out_channels = 4, .bias = false};
  const auto conv = std::make_shared<Conv2d>(*backend, config);
  ConvBatchNorm pair("conv1", conv, "bn1", {.relu = true});
  BatchNorm2d norm(*backend, 4, {.relu = true});
  fill(pair, 3);
  fill(norm, 7);  // its statistics do not matter to training
  for (std::size_t i = 0; i < 2; ++i) {
    Variable parameter = norm.parameters()[i].variable;
    parameter.set_value(pair.parameters()[i + 1].variable.value());
  }
  const Variable x(random_tensor(*backend, {2, 5, 5, 3}, DType::f32, 5));
  const ForwardContext training{.training = true};
  EXPECT_EQ(to_host(pair.forward(x, training).value()),
            to_host(norm.forward(conv->forward(x, training), training).value()));
}

TEST(ConvBatchNorm, KeepsThePublicNamesAndValues) {
  const auto backend = make_reference_backend({});
  Sequential block;
  const Conv2dConfig config{.in_channels = 3, .out_channels = 4, .bias = false};
  block.add("", std::make_shared<ConvBatchNorm>("conv1", std::make_shared<Conv2d>(*backend, config), "bn1"));
  fill(block, 1);
  const auto names = [&] {
    std::string all;
    for (const NamedVariable& named : block.parameters()) all += named.name + " ";
    for (const NamedVariable& named : block.buffers()) all += named.name + " ";
    return all;
  };
  const std::string public_names =
      "conv1.weight bn1.weight bn1.bias bn1.running_mean bn1.running_var bn1.num_batches_tracked ";
  EXPECT_EQ(names(), public_names);
  const std::vector<double> weight = to_host(block.parameters()[0].variable.value());
  fold_batch_norm(block);
  EXPECT_EQ(names(), public_names);
  EXPECT_EQ(to_host(block.parameters()[0].variable.value()), weight);
}

TEST(ConvBatchNorm, FoldedRefusesToTrainAndStaleParameters) {
  const auto backend = make_reference_backend({});
  const Conv2dConfig config{.in_channels = 3, .out_channels = 4, .bias = false};
  ConvBatchNorm pair("conv", std::make_shared<Conv2d>(*backend, config), "bn");
  fill(pair, 1);
  const Variable x(random_tensor(*backend, {1, 5, 5, 3}, DType::f32, 2));
  fold_batch_norm(pair);
  EXPECT_FALSE(pair.forward(x, {}).requires_grad()) << "a folded network is frozen";
  const std::string training = message_of([&] { pair.forward(x, {.training = true}); });
  EXPECT_EQ(training.rfind("[fold_batch_norm] ", 0), 0u) << training;
  EXPECT_NE(training.find("build it anew"), std::string::npos) << training;
  EXPECT_EQ(training.find('\n'), std::string::npos);
  const std::vector<double> before = to_host(pair.forward(x, {}).value());
  for (const NamedVariable& named : pair.buffers()) {
    if (named.name != "bn.running_mean") continue;
    Variable mean = named.variable;
    mean.set_value(random_tensor(*backend, mean.shape(), DType::f32, 77));
  }
  const std::string stale = message_of([&] { pair.forward(x, {}); });
  EXPECT_NE(stale.find("fold again"), std::string::npos) << stale;
  fold_batch_norm(pair);
  EXPECT_NE(to_host(pair.forward(x, {}).value()), before);
}

TEST(ConvBatchNorm, RefusesAConvolutionWithItsOwnReLU) {
  const auto backend = make_reference_backend({});
  const Conv2dConfig config{.in_channels = 3, .out_channels = 4, .options = {.relu = true}};
  EXPECT_NE(message_of([&] {
              const ConvBatchNorm pair("conv", std::make_shared<Conv2d>(*backend, config), "bn");
            }).find("ends in a ReLU"),
            std::string::npos);
}

}  // namespace
}  // namespace graft::testing
