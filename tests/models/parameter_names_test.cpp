#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "engine/reference/reference_backend.h"
#include "models/backbone.h"

namespace graft::testing {
namespace {

using Lines = std::vector<std::string>;

/// "layer1.0.conv1.weight 64 64 3 3": a name and the shape that it has in a public state_dict.
Lines lines_of(const std::vector<NamedVariable>& variables) {
  Lines lines;
  for (const NamedVariable& named : variables) {
    const auto dims = named.variable.shape().dims();
    std::vector<std::int64_t> shape(dims.begin(), dims.end());
    if (shape.size() == 4) std::rotate(shape.begin() + 1, shape.begin() + 3, shape.end());
    lines.push_back(fmt::format("{}{}{}", named.name, shape.empty() ? "" : " ", fmt::join(shape, " ")));
  }
  return lines;
}

/// The lines of torchvision's list for a model, "parameter" or "buffer".
Lines torchvision_lines(const std::string& model, const std::string& kind) {
  std::ifstream file(std::string(GRAFT_SOURCE_DIR) + "/tests/models/torchvision_resnet_parameters.txt");
  Lines lines;
  const std::string start = fmt::format("{} {} ", model, kind);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(start)) lines.push_back(line.substr(start.size()));
  }
  return lines;
}

std::int64_t parameter_count(const Backbone& model) {
  std::int64_t count = 0;
  for (const NamedVariable& named : model.parameters()) count += named.variable.shape().numel();
  return count;
}

std::shared_ptr<Backbone> make_default(const std::string& name, Backend& backend) {
  return make_backbone(name, backend, find_backbone(name).defaults);
}

TEST(ParameterNames, OfResNetsAreTorchvisions) {
  const auto backend = make_reference_backend({});
  for (const std::string name : {"resnet18", "resnet34", "resnet50", "resnet101", "resnet152"}) {
    const auto model = make_default(name, *backend);
    const Lines parameters = torchvision_lines(name, "parameter");
    ASSERT_FALSE(parameters.empty());
    EXPECT_EQ(lines_of(model->parameters()), parameters) << name;
    EXPECT_EQ(lines_of(model->buffers()), torchvision_lines(name, "buffer")) << name;
  }
}

TEST(ParameterNames, OfTheSmallStemDifferInItsWeightOnly) {
  const auto backend = make_reference_backend({});
  const auto model = make_backbone("resnet18_cifar", *backend, {.classes = 1000});
  Lines expected = torchvision_lines("resnet18", "parameter");
  expected[0] = "conv1.weight 64 3 3 3";
  EXPECT_EQ(lines_of(model->parameters()), expected);
}

TEST(ParameterNames, CountsAreThePublishedOnes) {
  const auto backend = make_reference_backend({});
  // torchvision's documentation; for CIFAR the counts that the implementation for PyTorch prints; convnet6 by hand.
  const std::map<std::string, std::int64_t> counts = {
      {"resnet18", 11'689'512},
      {"resnet34", 21'797'672},
      {"resnet50", 25'557'032},
      {"resnet101", 44'549'160},
      {"resnet152", 60'192'808},
      {"cifar_resnet20", 269'722},
      {"cifar_resnet32", 464'154},
      {"cifar_resnet44", 658'586},
      {"cifar_resnet56", 853'018},
      {"cifar_resnet110", 1'727'962},
      {"cifar_resnet20_b", 269'722 + 512 + 64 + 2048 + 128},
      {"convnet6", 160 + 4'640 + 9'248 + 18'496 + 36'928 + 401'536 + 1'290}};
  for (const auto& [name, count] : counts) EXPECT_EQ(parameter_count(*make_default(name, *backend)), count) << name;
}

TEST(ParameterNames, OfConvNet6) {
  const auto backend = make_reference_backend({});
  const Lines expected = {"conv1.weight 16 1 3 3",  "conv1.bias 16", "conv2.weight 32 16 3 3", "conv2.bias 32",
                          "conv3.weight 32 32 3 3", "conv3.bias 32", "conv4.weight 64 32 3 3", "conv4.bias 64",
                          "conv5.weight 64 64 3 3", "conv5.bias 64", "fc6.weight 128 3136",    "fc6.bias 128",
                          "head.weight 10 128",     "head.bias 10"};
  EXPECT_EQ(lines_of(make_default("convnet6", *backend)->parameters()), expected);
}

TEST(ParameterNames, OfCifarResNets) {
  const auto backend = make_reference_backend({});
  const Lines a = lines_of(make_default("cifar_resnet20", *backend)->parameters());
  const Lines b = lines_of(make_default("cifar_resnet20_b", *backend)->parameters());
  const Lines start = {"conv1.weight 16 3 3 3", "bn1.weight 16", "bn1.bias 16", "layer1.0.conv1.weight 16 16 3 3",
                       "layer1.0.bn1.weight 16"};
  EXPECT_EQ(Lines(a.begin(), a.begin() + 5), start);
  EXPECT_EQ(Lines(a.end() - 2, a.end()), (Lines{"linear.weight 10 64", "linear.bias 10"}));
  const auto missing = [&a](const std::string& line) { return std::find(a.begin(), a.end(), line) == a.end(); };
  Lines added;
  std::copy_if(b.begin(), b.end(), std::back_inserter(added), missing);
  const Lines projections = {"layer2.0.shortcut.0.weight 32 16 1 1", "layer2.0.shortcut.1.weight 32",
                             "layer2.0.shortcut.1.bias 32",          "layer3.0.shortcut.0.weight 64 32 1 1",
                             "layer3.0.shortcut.1.weight 64",        "layer3.0.shortcut.1.bias 64"};
  EXPECT_EQ(added, projections);
}

}  // namespace
}  // namespace graft::testing
