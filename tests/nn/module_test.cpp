#include "engine/nn/module.h"

#include <gtest/gtest.h>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/nn/activation.h"
#include "engine/nn/batch_norm2d.h"
#include "engine/nn/conv2d.h"
#include "engine/nn/linear.h"
#include "engine/nn/pool2d.h"
#include "engine/nn/sequential.h"
#include "engine/reference/reference_backend.h"

namespace graft::testing {
namespace {

// A network in the manner of torchvision: a stem of its own, a chain of layers, a head.
class Small : public Module {
 public:
  explicit Small(Backend& backend) {
    stem_ = add_module("", std::make_shared<Sequential>());
    stem_->add("conv1",
               std::make_shared<Conv2d>(backend, Conv2dConfig{.in_channels = 3, .out_channels = 4, .bias = false}));
    stem_->add("bn1", std::make_shared<BatchNorm2d>(backend, 4));
    layer1_ = add_module("layer1", std::make_shared<Sequential>());
    layer1_->add(std::make_shared<Conv2d>(backend, Conv2dConfig{.in_channels = 4, .out_channels = 6}));
    layer1_->add(std::make_shared<ReLU>());
    layer1_->add(std::make_shared<BatchNorm2d>(backend, 6));
    fc_ = add_module("fc", std::make_shared<Linear>(backend, LinearConfig{.in_features = 6, .out_features = 2}));
  }
  Variable forward(const Variable& x, const ForwardContext& context) override {
    return fc_->forward(GlobalAvgPool().forward(layer1_->forward(stem_->forward(x, context), context), context),
                        context);
  }
  Sequential& layer1() { return *layer1_; }

 private:
  std::shared_ptr<Sequential> stem_;
  std::shared_ptr<Sequential> layer1_;
  std::shared_ptr<Linear> fc_;
};

std::vector<std::string> names_of(const std::vector<NamedVariable>& variables) {
  std::vector<std::string> names;
  for (const auto& [name, variable] : variables) names.push_back(name);
  return names;
}

class ModuleTest : public ::testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend({});
  Small network_{*backend_};
};

TEST_F(ModuleTest, NamesAreThoseOfAPublicStateDict) {
  EXPECT_EQ(names_of(network_.parameters()),
            (std::vector<std::string>{"conv1.weight", "bn1.weight", "bn1.bias", "layer1.0.weight", "layer1.0.bias",
                                      "layer1.2.weight", "layer1.2.bias", "fc.weight", "fc.bias"}));
  EXPECT_EQ(
      names_of(network_.buffers()),
      (std::vector<std::string>{"bn1.running_mean", "bn1.running_var", "bn1.num_batches_tracked",
                                "layer1.2.running_mean", "layer1.2.running_var", "layer1.2.num_batches_tracked"}));
}

TEST_F(ModuleTest, ShapesFollowStorageOrder) {
  const auto parameters = network_.parameters();
  EXPECT_EQ(parameters[0].variable.shape(), (Shape{4, 3, 3, 3}));
  EXPECT_EQ(parameters[3].variable.shape(), (Shape{6, 3, 3, 4}));
  EXPECT_EQ(parameters[7].variable.shape(), (Shape{2, 6}));
  EXPECT_EQ(network_.buffers()[2].variable.shape(), Shape{});
  EXPECT_EQ(network_.buffers()[2].variable.dtype(), DType::i64);
}

TEST_F(ModuleTest, VisitsEveryModuleUnderItsName) {
  std::vector<std::string> visited;
  network_.for_each_module([&](const std::string& prefix, Module&) { visited.push_back(prefix); });
  EXPECT_EQ(visited,
            (std::vector<std::string>{"", "", "conv1", "bn1", "layer1", "layer1.0", "layer1.1", "layer1.2", "fc"}));
}

TEST_F(ModuleTest, FreezingReachesAllBelowAndNothingElse) {
  network_.layer1().set_frozen(true, BatchNormPolicy::update);
  for (const auto& [name, parameter] : network_.parameters()) {
    EXPECT_EQ(parameter.requires_grad(), !name.starts_with("layer1")) << name;
  }
  network_.for_each_module([](const std::string& prefix, Module& module) {
    EXPECT_EQ(module.frozen(), prefix.starts_with("layer1")) << prefix;
    if (module.frozen()) {
      EXPECT_EQ(module.frozen_policy(), BatchNormPolicy::update);
    }
  });
  network_.set_frozen(false);
  for (const auto& [name, parameter] : network_.parameters()) EXPECT_TRUE(parameter.requires_grad()) << name;
  for (const auto& [name, buffer] : network_.buffers()) EXPECT_FALSE(buffer.requires_grad()) << name;
}

TEST_F(ModuleTest, ConvertReachesFloatingValuesOnly) {
  network_.convert(DType::f64);
  for (const auto& [name, parameter] : network_.parameters()) EXPECT_EQ(parameter.dtype(), DType::f64) << name;
  for (const auto& [name, buffer] : network_.buffers()) {
    EXPECT_EQ(buffer.dtype(), name.ends_with("tracked") ? DType::i64 : DType::f64) << name;
  }
}

TEST_F(ModuleTest, ForwardGivesLogits) {
  const Variable x(backend_->zeros({5, 8, 8, 3}, DType::f32));
  for (auto& [name, variable] : network_.parameters()) backend_->fill(0.5, variable.value());
  for (auto& [name, variable] : network_.buffers()) backend_->fill(1.0, variable.value());
  EXPECT_EQ(network_.forward(x, {.training = true}).shape(), (Shape{5, 2}));
}

TEST(BatchNormPolicyNames, GoBothWays) {
  for (const auto policy : {BatchNormPolicy::eval, BatchNormPolicy::batch, BatchNormPolicy::update}) {
    EXPECT_EQ(batch_norm_policy_from_name(name_of(policy)), policy);
  }
  try {
    batch_norm_policy_from_name("evall");
    FAIL() << "an unknown policy was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    for (const char* name : {"evall", "eval", "batch", "update"}) {
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos);
    }
  }
}

TEST(Conv2dLayer, RefusesGroupsThatDoNotDivide) {
  const auto backend = make_reference_backend({});
  EXPECT_THROW(Conv2d(*backend, {.in_channels = 4, .out_channels = 6, .options = {.groups = 4}}), Error);
}

}  // namespace
}  // namespace graft::testing
