#include "models/pretrained.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <functional>

#include "engine/base/error.h"
#include "engine/io/safetensors.h"
#include "engine/nn/init.h"
#include "engine/nn/state.h"
#include "engine/reference/reference_backend.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

class Pretrained : public ::testing::Test {
 protected:
  Pretrained() : folder_(fs::temp_directory_path() / ("graft_pretrained_" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~Pretrained() override { fs::remove_all(folder_); }

  std::shared_ptr<Backbone> network(std::uint64_t seed, std::int64_t classes = 10) {
    auto made =
        make_backbone("resnet18_cifar", *backend_, {.classes = classes, .in_channels = 3, .height = 32, .width = 32});
    initialize(state_of(*made), seed, "base-target");
    return made;
  }
  /// A file of the network's values under other names; those renamed to "" are left out.
  std::unique_ptr<Checkpoint> file_of(const Backbone& network, const std::function<std::string(std::string)>& rename) {
    std::vector<NamedVariable> renamed;
    for (const NamedVariable& named : state_of(network)) {
      const std::string name = rename(named.name);
      if (!name.empty()) renamed.push_back({name, named.variable});
    }
    const fs::path path = folder_ / ("file" + std::to_string(files_++) + ".safetensors");
    save_state(path, renamed);
    return open_checkpoint(path);
  }
  void expect_error(const std::function<void()>& act, const std::vector<std::string>& parts) {
    try {
      act();
      FAIL() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      for (const std::string& part : parts) {
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      }
    }
  }

  std::unique_ptr<Backend> backend_ = make_reference_backend({});

 private:
  fs::path folder_;
  int files_ = 0;
};

std::string same(std::string name) { return name; }

/// The names of transformers' ResNetForImageClassification, written down by hand from its modules.
std::string hugging_face(std::string name) {
  const auto replace = [&](const std::string& from, const std::string& to) {
    const std::size_t at = name.find(from);
    if (at != std::string::npos) name.replace(at, from.size(), to);
  };
  if (name.starts_with("fc.")) return "classifier.1." + name.substr(3);
  if (name.starts_with("conv1.")) return "resnet.embedder.embedder.convolution." + name.substr(6);
  if (name.starts_with("bn1.")) return "resnet.embedder.embedder.normalization." + name.substr(4);
  for (const char layer : {'1', '2', '3', '4'}) {
    const std::string from = std::string("layer") + layer + ".";
    if (!name.starts_with(from)) continue;
    name = "resnet.encoder.stages." + std::to_string(layer - '1') + ".layers." + name.substr(from.size());
    break;
  }
  replace("downsample.0.", "shortcut.convolution.");
  replace("downsample.1.", "shortcut.normalization.");
  replace(".conv1.", ".layer.0.convolution.");
  replace(".conv2.", ".layer.1.convolution.");
  replace(".bn1.", ".layer.0.normalization.");
  replace(".bn2.", ".layer.1.normalization.");
  return name;
}

TEST_F(Pretrained, TakesEveryTensorUnderItsOwnName) {
  const auto source = network(1);
  const auto target = network(2);
  const auto file = file_of(*source, same);
  const ImportPlan plan = plan_import(*file, *target);
  EXPECT_EQ(plan.tensors.size(), state_of(*target).size());
  EXPECT_TRUE(plan.kept.empty());
  ASSERT_NE(hash_state(state_of(*target)), hash_state(state_of(*source)));
  run_import(*file, plan, *target);
  EXPECT_EQ(hash_state(state_of(*target)), hash_state(state_of(*source)));
}

TEST_F(Pretrained, KnowsTheNamesOfHuggingFace) {
  const auto source = network(1);
  const auto target = network(2);
  const auto file = file_of(*source, hugging_face);
  ASSERT_NE(file->find("resnet.encoder.stages.1.layers.0.shortcut.normalization.running_var"), nullptr);
  const ImportPlan plan = plan_import(*file, *target);
  EXPECT_NE(plan.publisher.find("Hugging Face"), std::string::npos);
  run_import(*file, plan, *target);
  EXPECT_EQ(hash_state(state_of(*target)), hash_state(state_of(*source)));
}

TEST_F(Pretrained, CountersMayBeMissingAndNothingElse) {
  const auto source = network(1);
  const auto target = network(2);
  const auto old =
      file_of(*source, [](const std::string& name) { return name.ends_with("num_batches_tracked") ? "" : name; });
  EXPECT_EQ(plan_import(*old, *target).kept.size(), 20u);
  const auto torn = file_of(*source, [](const std::string& name) { return name == "layer2.0.bn1.bias" ? "" : name; });
  expect_error([&] { plan_import(*torn, *target); }, {"layer2.0.bn1.bias", "[128]", "--allow-missing"});
  EXPECT_EQ(plan_import(*torn, *target, {.allow_missing = {"layer2.0.bn1.bias"}}).kept,
            std::vector<std::string>{"layer2.0.bn1.bias"});
}

TEST_F(Pretrained, NothingIsLeftOverUnsaid) {
  const auto source = network(1);
  const auto more = file_of(*source, [](const std::string& name) { return name == "fc.bias" ? "fc.offset" : name; });
  const auto target = network(2);
  expect_error([&] { plan_import(*more, *target, {.allow_missing = {"fc.bias"}}); }, {"fc.offset", "--allow-leftover"});
  const ImportPlan plan = plan_import(*more, *target, {.allow_missing = {"fc.bias"}, .allow_leftover = {"fc.offset"}});
  EXPECT_EQ(plan.leftover, std::vector<std::string>{"fc.offset"});
}

TEST_F(Pretrained, AHeadIsReplacedOnlyWhenAsked) {
  const auto source = network(1, 10);
  const auto target = network(2, 4);
  const auto file = file_of(*source, same);
  EXPECT_TRUE(head_differs(*file, *target));
  EXPECT_FALSE(head_differs(*file, *network(3, 10)));
  expect_error([&] { plan_import(*file, *target); }, {"fc.weight", "[10, 512]", "[4, 512]", "--num-classes"});
  const std::string head = hash_state({state_of(*target).back()});
  const ImportPlan plan = plan_import(*file, *target, {.replace_head = true});
  EXPECT_EQ(plan.kept, (std::vector<std::string>{"fc.weight", "fc.bias"}));
  run_import(*file, plan, *target);
  EXPECT_EQ(hash_state(target->stage_parameters(0, 5)), hash_state(source->stage_parameters(0, 5)));
}

TEST_F(Pretrained, StartsFromAFileOverFirstValues) {
  const auto source = network(1, 10);
  const auto file = file_of(*source, same);
  const BackboneOptions small{.classes = 10, .in_channels = 3, .height = 32, .width = 32};
  const auto whole = make_backbone("resnet18_cifar", *backend_, small);
  EXPECT_TRUE(start_from(*file, *whole, {.replace_unfit_head = true}, 2).kept.empty()) << "the head fits";
  EXPECT_EQ(hash_state(state_of(*whole)), hash_state(state_of(*source)));
  BackboneOptions four = small;
  four.classes = 4;
  const auto target = make_backbone("resnet18_cifar", *backend_, four);
  EXPECT_EQ(start_from(*file, *target, {.replace_unfit_head = true}, 2).kept.size(), 2u);
  EXPECT_EQ(hash_state(target->stage_parameters(0, 5)), hash_state(source->stage_parameters(0, 5)));
  EXPECT_EQ(hash_state({state_of(*target).back()}), hash_state({state_of(*network(2, 4)).back()}));
}

TEST_F(Pretrained, AnotherModelsFileIsRefused) {
  auto other = make_backbone("convnet6", *backend_, {.classes = 10, .in_channels = 1, .height = 28, .width = 28});
  initialize(state_of(*other), 1, "base-target");
  const auto file = file_of(*other, same);
  expect_error([&] { plan_import(*file, *network(1)); }, {file->path().string()});
}

}  // namespace
}  // namespace graft::testing
