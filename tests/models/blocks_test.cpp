#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/reference/reference_backend.h"
#include "models/backbone.h"
#include "tests/models/expectations.h"
#include "tests/ops/host_values.h"

// Networks that can be cut after each of their blocks.
namespace graft::testing {
namespace {

using Names = std::vector<std::string>;

Names names_of(const std::vector<NamedVariable>& variables) {
  Names names;
  for (const auto& named : variables) names.push_back(named.name);
  return names;
}

BackboneOptions in_blocks(BackboneOptions options) {
  options.cuts = CutPlaces::blocks;
  return options;
}

TEST(Blocks, BearPublicNames) {
  EXPECT_EQ(cut_names("resnet18", CutPlaces::blocks), (Names{"stem", "layer1.0", "layer1.1", "layer2.0", "layer2.1",
                                                             "layer3.0", "layer3.1", "layer4.0", "layer4.1"}));
  EXPECT_EQ(cut_names("convnet6", CutPlaces::blocks), cut_names("convnet6", CutPlaces::stages));
  EXPECT_EQ(cut_names("vgg11", CutPlaces::blocks), cut_names("vgg11", CutPlaces::stages));
  EXPECT_EQ(cut_names("mobilenet_v2", CutPlaces::blocks), cut_names("mobilenet_v2", CutPlaces::stages));
  const Names dense = cut_names("densenet121", CutPlaces::blocks);
  EXPECT_EQ(dense.size(), 1u + 6 + 12 + 24 + 16 + 3 + 1);
  EXPECT_EQ(dense[1], "denseblock1.denselayer1");
  EXPECT_EQ(dense[7], "transition1");
  const Names efficient = cut_names("efficientnet_b0", CutPlaces::blocks);
  EXPECT_EQ(efficient.size(), 18u);
  EXPECT_EQ(efficient[2], "blocks.1.0");
  EXPECT_THROW(cut_names("resnet17", CutPlaces::blocks), Error);
  EXPECT_THROW(cut_places_from_name("layers"), Error);
}

/// Of every registered network: names that differ, and the parameters and buffers of all blocks in the network's order.
TEST(Blocks, AndTheHeadMakeUpAllParameters) {
  const auto backend = make_reference_backend({});
  for (const BackboneEntry& entry : backbones()) {
    if (entry.name.starts_with("vgg") && entry.name != "vgg11_bn") continue;  // half a GB each, and all alike
    const auto model = make_backbone(entry.name, *backend, in_blocks(entry.defaults));
    const Names all = names_of(model->parameters());
    const Names staged = names_of(model->stage_parameters(0, model->stage_count()));
    ASSERT_EQ(staged.size() + 2, all.size()) << entry.name;  // the head's weight and bias
    EXPECT_TRUE(std::equal(staged.begin(), staged.end(), all.begin())) << entry.name;
    EXPECT_EQ(names_of(model->stage_buffers(0, model->stage_count())), names_of(model->buffers())) << entry.name;
    std::set<std::string> names;
    for (const auto& block : model->stages()) EXPECT_TRUE(names.insert(block.name).second) << entry.name << block.name;
  }
}

/// Blocks [0, cut) and then the rest give the bits of the undivided network, at a cut in every family's middle too.
TEST(Blocks, OneAfterAnotherAreTheWholeNetwork) {
  const auto backend = make_cpu_backend({.threads = 1});
  const std::vector<std::pair<std::string, std::int64_t>> models{
      {"convnet6", 12},    {"cifar_resnet20", 12}, {"cifar_resnet20_b", 12}, {"resnet18_cifar", 12},
      {"resnet50", 32},    {"densenet121", 32},    {"efficientnet_b0", 32},  {"tf_efficientnet_lite0", 32},
      {"mobilenet_v2", 32}};
  for (const auto& [name, size] : models) {
    const BackboneOptions options{.classes = 5, .in_channels = 3, .height = size, .width = size};
    const auto whole = make_backbone(name, *backend, options);
    const auto blocks = make_backbone(name, *backend, in_blocks(options));
    fill_by_formula(*whole);
    fill_by_formula(*blocks);
    ASSERT_GE(blocks->stage_count(), whole->stage_count());
    const Variable x(formula_images(*backend, {2, 3, size, size}, DType::f32));
    const auto expected = to_host(whole->forward(x, {}).value());
    Variable features = x;
    for (int cut = 0; cut <= blocks->stage_count(); ++cut) {
      if (cut > 0) features = blocks->forward_stages(features, cut - 1, cut, {});
      const bool tried = cut % 4 == 0 || cut == blocks->stage_count() || blocks->stage_count() < 12;
      if (!tried) continue;
      EXPECT_EQ(to_host(blocks->forward_from(features, cut, {}).value()), expected) << name << " cut " << cut;
    }
  }
}

TEST(Blocks, AreFrozenOneByOne) {
  const auto backend = make_reference_backend({});
  const auto model = make_backbone("cifar_resnet20", *backend, in_blocks({.classes = 10}));
  ASSERT_EQ(model->stage_count(), 10);
  for (const int cut : {5, 1, 10, 0}) {
    model->freeze_until(cut, BatchNormPolicy::update);
    const Names frozen = names_of(model->stage_parameters(0, cut));
    for (const auto& named : model->parameters()) {
      const bool before = std::find(frozen.begin(), frozen.end(), named.name) != frozen.end();
      EXPECT_EQ(named.variable.requires_grad(), !before) << named.name << " at cut " << cut;
    }
    for (int i = 0; i < model->stage_count(); ++i) {
      EXPECT_EQ(model->stages()[static_cast<std::size_t>(i)].module->frozen(), i < cut);
    }
  }
}

}  // namespace
}  // namespace graft::testing
