#include "models/backbone.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/nn/dropout.h"
#include "engine/nn/linear.h"
#include "engine/reference/reference_backend.h"
#include "tests/models/expectations.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

std::vector<std::string> stage_names(const Backbone& model) {
  std::vector<std::string> names;
  for (const auto& stage : model.stages()) names.push_back(stage.name);
  return names;
}

std::vector<std::string> names_of(const std::vector<NamedVariable>& variables) {
  std::vector<std::string> names;
  for (const auto& named : variables) names.push_back(named.name);
  return names;
}

TEST(Backbone, ListsItsStages) {
  const auto backend = make_reference_backend({});
  using Names = std::vector<std::string>;
  EXPECT_EQ(stage_names(*make_backbone("convnet6", *backend, find_backbone("convnet6").defaults)),
            (Names{"conv1", "conv2", "conv3", "conv4", "conv5", "fc6"}));
  EXPECT_EQ(stage_names(*make_backbone("resnet50", *backend, {})),
            (Names{"stem", "layer1", "layer2", "layer3", "layer4"}));
  EXPECT_EQ(stage_names(*make_backbone("cifar_resnet20", *backend, {})), (Names{"stem", "layer1", "layer2", "layer3"}));
}

TEST(Backbone, StagesAndHeadMakeUpAllParameters) {
  const auto backend = make_reference_backend({});
  for (const std::string name :
       {"convnet6", "cifar_resnet20_b", "resnet18", "resnet50", "resnext50_32x4d", "alexnet", "caffenet", "vgg11_bn",
        "densenet121", "chexnet", "mobilenet_v2", "efficientnet_b0", "tf_efficientnet_lite0"}) {
    const auto model = make_backbone(name, *backend, find_backbone(name).defaults);
    const auto all = names_of(model->parameters());
    auto staged = names_of(model->stage_parameters(0, model->stage_count()));
    ASSERT_EQ(staged.size() + 2, all.size()) << name;  // the head's weight and bias
    EXPECT_TRUE(std::equal(staged.begin(), staged.end(), all.begin())) << name;
    EXPECT_EQ(names_of(model->stage_buffers(0, model->stage_count())), names_of(model->buffers())) << name;
    const auto rest = names_of(model->stage_parameters(2, model->stage_count()));
    EXPECT_EQ(names_of(model->stage_parameters(0, 2)).size() + rest.size(), staged.size());
    // They are the same variables, not copies.
    EXPECT_TRUE(model->stage_parameters(0, 1)[0].variable.same_as(model->parameters()[0].variable));
  }
}

/// Stages [0, cut) and then the rest must give the bits of one pass.
TEST(Backbone, CanBeCutAnywhere) {
  const auto backend = make_cpu_backend({.threads = 1});
  for (const std::string name : {"convnet6", "cifar_resnet20", "resnet18_cifar"}) {
    const BackboneOptions options{.classes = 5, .in_channels = 2, .height = 12, .width = 16};
    const auto model = make_backbone(name, *backend, options);
    fill_by_formula(*model);
    const Variable x(formula_images(*backend, {3, options.in_channels, options.height, options.width}, DType::f32));
    for (const bool training : {false, true}) {
      const ForwardContext context{.training = training, .step = {}};
      const auto whole = to_host(model->forward(x, context).value());
      for (int cut = 0; cut <= model->stage_count(); ++cut) {
        const Variable features = model->forward_stages(x, 0, cut, context);
        EXPECT_EQ(to_host(model->forward_from(features, cut, context).value()), whole) << name << " cut " << cut;
      }
    }
    EXPECT_THROW(model->forward_stages(x, 0, model->stage_count() + 1, {}), Error);
    EXPECT_THROW(model->forward_from(x, -1, {}), Error);
  }
}

TEST(Backbone, ComputesInTheDtypeOfItsInput) {
  const auto backend = make_reference_backend({});
  const BackboneOptions options{.classes = 5, .in_channels = 1, .height = 8, .width = 8};
  const auto model = make_backbone("convnet6", *backend, options);
  fill_by_formula(*model);
  const Variable x(formula_images(*backend, {2, 1, 8, 8}, DType::bf16));
  EXPECT_EQ(model->forward(x, {}).dtype(), DType::bf16);
}

TEST(Backbone, FreezesTheStagesBeforeTheCut) {
  const auto backend = make_reference_backend({});
  const auto model = make_backbone("cifar_resnet20", *backend, {.classes = 10});
  for (const int cut : {2, 4, 0, 1}) {
    model->freeze_until(cut, BatchNormPolicy::batch);
    std::set<std::string> frozen;
    for (const auto& named : model->stage_parameters(0, cut)) frozen.insert(named.name);
    for (const auto& named : model->parameters()) {
      EXPECT_EQ(named.variable.requires_grad(), !frozen.contains(named.name)) << named.name << " at cut " << cut;
    }
    for (int i = 0; i < model->stage_count(); ++i) {
      const Module& stage = *model->stages()[static_cast<std::size_t>(i)].module;
      EXPECT_EQ(stage.frozen(), i < cut);
      if (i < cut) {
        EXPECT_EQ(stage.frozen_policy(), BatchNormPolicy::batch);
      }
    }
  }
  EXPECT_THROW(model->freeze_until(5, BatchNormPolicy::eval), Error);
}

/// Two stages, the second with a dropout inside.
class WithDropout : public Backbone {
 public:
  explicit WithDropout(Backend& backend) {
    add_stage("first", "first", std::make_shared<Linear>(backend, LinearConfig{.in_features = 2, .out_features = 2}));
    add_stage("second", "second", std::make_shared<Dropout>(0.5, "second"));
  }
  Variable forward_head(const Variable& x, const ForwardContext&) override { return x; }
};

TEST(Backbone, KnowsWhereDropoutIs) {
  const auto backend = make_reference_backend({});
  const WithDropout model(*backend);
  EXPECT_TRUE(model.deterministic_until(1));
  EXPECT_FALSE(model.deterministic_until(2));
  const auto resnet = make_backbone("cifar_resnet20", *backend, {.classes = 10});
  EXPECT_TRUE(resnet->deterministic_until(4));
}

TEST(BackboneRegistry, NamesTheNearest) {
  std::set<std::string> names;
  for (const auto& entry : backbones()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_EQ(&find_backbone(entry.name), &entry);
    EXPECT_FALSE(entry.description.empty());
  }
  EXPECT_EQ(names.size(), 63u);
  try {
    find_backbone("resnet81");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find("'resnet18'"), std::string::npos) << error.what();
  }
}

TEST(BackboneRegistry, KnowsPublishedWeightsByTheirTag) {
  EXPECT_EQ(find_backbone("resnet50.tv_in1k").name, "resnet50");
  EXPECT_EQ(image_config_of("resnet50.tv_in1k").interpolation, "bilinear");
  EXPECT_EQ(image_config_of("resnet50").crop_pct, 0.875);
  EXPECT_EQ(image_config_of("resnet50.a1_in1k").size, 288);
  EXPECT_EQ(image_config_of("resnet50.a1_in1k").interpolation, "bicubic");
  EXPECT_EQ(image_config_of("tf_efficientnet_lite0.in1k").mean[0], 0.5);
  EXPECT_EQ(image_config_of("convnet6").size, 28);
  EXPECT_EQ(image_config_of("convnet6").std[2], 1.0);
  const auto message_of = [](const std::string& name) {
    try {
      find_backbone(name);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(message_of("resnet50.tv_in2k").find("'resnet50.tv_in1k'"), std::string::npos);
  EXPECT_NE(message_of("convnet6.tv_in1k").find("'convnet6'"), std::string::npos);
  EXPECT_NE(message_of("resnet50.").find("'resnet50"), std::string::npos);
}

TEST(BackboneRegistry, RefusesImpossibleOptions) {
  const auto backend = make_reference_backend({});
  EXPECT_THROW(make_backbone("convnet6", *backend, {.classes = 0}), Error);
  EXPECT_THROW(make_backbone("convnet6", *backend, {.classes = 2, .in_channels = 1, .height = 3, .width = 28}), Error);
  const auto model = make_backbone("resnet18", *backend, {.classes = 2, .in_channels = 1});
  const Variable x(formula_images(*backend, {1, 3, 32, 32}, DType::f32));
  EXPECT_THROW(model->forward(x, {}), Error);
}

}  // namespace
}  // namespace graft::testing
