// Stochastic depth in the backbones: which blocks drop, how often, and what a dropped branch leaves.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "engine/base/error.h"
#include "engine/nn/init.h"
#include "engine/nn/state.h"
#include "engine/ops/relu.h"
#include "engine/reference/reference_backend.h"
#include "models/backbone.h"
#include "models/residual_sum.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

using Rates = std::map<std::string, double>;

/// The drop rate of every residual branch by the name of its block.
Rates rates_of(const std::string& model, double rate) {
  const auto backend = make_reference_backend({});
  BackboneOptions options = find_backbone(model).defaults;
  options.drop_path = rate;
  const auto network = make_backbone(model, *backend, options);
  Rates rates;
  network->for_each_module([&](const std::string& prefix, const Module& module) {
    if (const auto* drop = dynamic_cast<const DropPath*>(&module)) rates[prefix] = drop->p();
  });
  return rates;
}

/// `timm` is what named_modules() of timm 1.0.31's model says at drop_path_rate=0.2, less the blocks that have no
/// shortcut, where timm does not call it.
void expect_rates(const std::string& model, const Rates& timm) {
  const Rates rates = rates_of(model, 0.2);
  ASSERT_EQ(rates.size(), timm.size()) << model;
  for (const auto& [block, rate] : timm) {
    ASSERT_TRUE(rates.contains(block)) << model << " " << block;
    EXPECT_NEAR(rates.at(block), rate, 1e-6) << model << " " << block;
  }
}

TEST(StochasticDepth, RatesAreTimms) {
  expect_rates("resnet18", {{"layer1.1", 0.028571},
                            {"layer2.0", 0.057143},
                            {"layer2.1", 0.085714},
                            {"layer3.0", 0.114286},
                            {"layer3.1", 0.142857},
                            {"layer4.0", 0.171429},
                            {"layer4.1", 0.2}});
  expect_rates("efficientnet_b0", {{"blocks.1.1", 0.025},
                                   {"blocks.2.1", 0.05},
                                   {"blocks.3.1", 0.075},
                                   {"blocks.3.2", 0.0875},
                                   {"blocks.4.1", 0.1125},
                                   {"blocks.4.2", 0.125},
                                   {"blocks.5.1", 0.15},
                                   {"blocks.5.2", 0.1625},
                                   {"blocks.5.3", 0.175}});
  EXPECT_NEAR(rates_of("tf_efficientnet_lite1", 0.2).at("blocks.5.4"), 0.180952, 1e-6);
  // features.17 is timm's blocks.5.2 and features.2 its blocks.1.0, which has no shortcut.
  EXPECT_NEAR(rates_of("mobilenet_v2", 0.2).at("features.16"), 0.176471, 1e-6);
  EXPECT_NEAR(rates_of("mobilenet_v2", 0.2).at("features.3"), 0.023529, 1e-6);
  EXPECT_TRUE(rates_of("resnet50", 0.0).empty());
  EXPECT_EQ(rates_of("cifar_resnet20", 0.4).size(), 8u);
}

TEST(StochasticDepth, ADroppedBranchLeavesTheShortcut) {
  ReferenceBackend backend;
  constexpr std::int64_t kImages = 32;
  const double rate = 0.25;
  const auto make = [&](bool relu_at_end, double p) {
    auto conv = std::make_shared<Conv2d>(
        backend, Conv2dConfig{.in_channels = 3, .out_channels = 4, .kernel = {1, 1}, .bias = false});
    auto sum = std::make_shared<ResidualSum>(conv, ResidualSumConfig{.conv_name = "conv",
                                                                     .norm_name = "bn",
                                                                     .norm = {.relu = relu_at_end},
                                                                     .depth = {.rate = p, .stream = "block"}});
    sum->convert(DType::f64);
    initialize(state_of(*sum), 3, "base-target");
    return sum;
  };
  const Variable x = random_leaf(backend, {kImages, 2, 2, 3}, 1);
  const Variable shortcut = random_leaf(backend, {kImages, 2, 2, 4}, 2);
  const ForwardContext training{.training = true, .step = from_host(backend, {1}, DType::i64, {5}), .seed = 1};
  const std::vector<double> branch = to_host(make(false, 0.0)->forward(x, training).value());
  const std::vector<double> skipped = to_host(shortcut.value());
  const std::vector<double> y = to_host(make(true, rate)->forward(x, shortcut, training).value());
  const std::size_t per_image = y.size() / kImages;
  int dropped = 0;
  for (std::size_t image = 0; image < kImages; ++image) {
    bool is_dropped = true;
    bool is_kept = true;
    for (std::size_t i = image * per_image; i < (image + 1) * per_image; ++i) {
      is_dropped = is_dropped && std::abs(y[i] - std::max(0.0, skipped[i])) < 1e-12;
      is_kept = is_kept && std::abs(y[i] - std::max(0.0, branch[i] / (1.0 - rate) + skipped[i])) < 1e-12;
    }
    EXPECT_NE(is_dropped, is_kept) << "image " << image;
    dropped += is_dropped ? 1 : 0;
  }
  EXPECT_GT(dropped, 0);
  EXPECT_LT(dropped, kImages / 2);
  // Evaluation knows nothing of it.
  EXPECT_EQ(to_host(make(true, rate)->forward(x, shortcut, {}).value()),
            to_host(make(true, 0.0)->forward(x, shortcut, {}).value()));
}

TEST(StochasticDepth, ChangesNoName) {
  const auto backend = make_reference_backend({});
  for (const std::string model : {"resnet18_cifar", "cifar_resnet20", "efficientnet_b0", "mobilenet_v2"}) {
    BackboneOptions options = find_backbone(model).defaults;
    const auto plain = make_backbone(model, *backend, options);
    options.drop_path = 0.1;
    options.dropout = 0.1;
    const auto deep = make_backbone(model, *backend, options);
    const auto names = [](const Backbone& network) {
      std::vector<std::string> result;
      for (const NamedVariable& named : state_of(network)) result.push_back(named.name);
      return result;
    };
    EXPECT_EQ(names(*plain), names(*deep)) << model;
    EXPECT_TRUE(plain->deterministic_until(plain->stage_count())) << model;
    EXPECT_FALSE(deep->deterministic_until(deep->stage_count())) << model;
  }
}

TEST(StochasticDepth, IsRefusedWhereNothingCanBeDropped) {
  const auto backend = make_reference_backend({});
  EXPECT_THROW(make_backbone("vgg11", *backend, {.drop_path = 0.1}), Error);
  EXPECT_THROW(make_backbone("densenet121", *backend, {.drop_path = 0.1}), Error);
  EXPECT_THROW(make_backbone("resnet18", *backend, {.drop_path = 1.0}), Error);
  const BackboneOptions small{.classes = 10, .in_channels = 1, .height = 28, .width = 28, .dropout = 0.5};
  EXPECT_THROW(make_backbone("convnet6", *backend, small), Error);
}

}  // namespace
}  // namespace graft::testing
