#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/io/sha256.h"
#include "models/backbone.h"
#include "models/efficientnet.h"
#include "models/resnet.h"
#include "models/vgg.h"

namespace graft::testing {
namespace {

/// A line of public_networks.txt, which make_public_networks.py wrote.
struct PublicNetwork {
  std::string name;
  std::int64_t parameters = 0;
  std::string digest;
};

std::vector<PublicNetwork> public_networks() {
  std::ifstream file(std::string(GRAFT_SOURCE_DIR) + "/tests/models/public_networks.txt");
  std::vector<PublicNetwork> networks;
  for (PublicNetwork network; file >> network.name >> network.parameters >> network.digest;) {
    networks.push_back(network);
  }
  return networks;
}

/// "parameter features.0.weight 64 3 3 3": as a public state_dict has it.
void add_lines(const char* kind, const std::vector<NamedVariable>& variables, std::vector<std::string>& lines) {
  for (const NamedVariable& named : variables) {
    const auto dims = named.variable.shape().dims();
    std::vector<std::int64_t> shape(dims.begin(), dims.end());
    if (shape.size() == 4) std::rotate(shape.begin() + 1, shape.begin() + 3, shape.end());
    lines.push_back(fmt::format("{} {}{}{}\n", kind, named.name, shape.empty() ? "" : " ", fmt::join(shape, " ")));
  }
}

std::string digest_of(const Backbone& model) {
  std::vector<std::string> lines;
  add_lines("parameter", model.parameters(), lines);
  add_lines("buffer", model.buffers(), lines);
  std::sort(lines.begin(), lines.end());
  Sha256 sha;
  for (const std::string& line : lines) sha.update(std::as_bytes(std::span(line)));
  return sha.hex();
}

TEST(PublicNetworks, HaveThePublishedNamesShapesAndCounts) {
  const auto backend = make_cpu_backend({.threads = 1});
  const std::vector<PublicNetwork> networks = public_networks();
  ASSERT_GE(networks.size(), 46u);
  for (const PublicNetwork& network : networks) {
    const auto model = make_backbone(network.name, *backend, find_backbone(network.name).defaults);
    std::int64_t count = 0;
    for (const NamedVariable& named : model->parameters()) count += named.variable.shape().numel();
    EXPECT_EQ(count, network.parameters) << network.name;
    EXPECT_EQ(digest_of(*model), network.digest) << network.name;
  }
}

/// Every variable belongs to one stage or to the head, and stages follow the order of the data.
TEST(PublicNetworks, StagesPartitionThem) {
  const auto backend = make_cpu_backend({.threads = 1});
  for (const PublicNetwork& network : public_networks()) {
    const auto model = make_backbone(network.name, *backend, find_backbone(network.name).defaults);
    std::set<std::string> stages;
    std::set<std::string> staged;
    std::size_t sum = 0;
    for (int i = 0; i < model->stage_count(); ++i) {
      EXPECT_TRUE(stages.insert(model->stages()[static_cast<std::size_t>(i)].name).second) << network.name;
      for (const NamedVariable& named : model->stage_parameters(i, i + 1)) {
        staged.insert(named.name);
        ++sum;
      }
    }
    EXPECT_EQ(staged.size(), sum) << network.name << ": a parameter belongs to two stages";
    std::vector<std::string> rest;
    for (const NamedVariable& named : model->parameters()) {
      if (!staged.contains(named.name)) rest.push_back(named.name);
    }
    ASSERT_EQ(rest.size(), 2u) << network.name;
    EXPECT_TRUE(rest[0].ends_with(".weight") && rest[1].ends_with(".bias")) << rest[0] << ", " << rest[1];
    EXPECT_EQ(model->stage_buffers(0, model->stage_count()).size(), model->buffers().size()) << network.name;
  }
}

TEST(PublicNetworks, RefuseWhatWasNeverPublished) {
  const auto backend = make_cpu_backend({.threads = 1});
  EXPECT_THROW(make_vgg(*backend, 12, false, {}), Error);
  EXPECT_THROW(make_resnet(*backend, {.depth = 77}, {}), Error);
  EXPECT_THROW(make_resnet(*backend, {.depth = 18, .groups = 32}, {}), Error);
  EXPECT_THROW(make_efficientnet(*backend, {.scale = 8}, {}), Error);
  EXPECT_THROW(make_efficientnet(*backend, {.scale = 5, .lite = true}, {}), Error);
  EXPECT_THROW(make_backbone("caffenet", *backend, {.height = 60, .width = 227}), Error);
}

/// Dropout lies in the classifier alone, except where hidden layers of the classifier are stages.
TEST(PublicNetworks, CanBeCachedUpToTheirDropout) {
  const auto backend = make_cpu_backend({.threads = 1});
  for (const std::string name : {"alexnet", "vgg11", "caffenet"}) {
    const auto model = make_backbone(name, *backend, find_backbone(name).defaults);
    EXPECT_TRUE(model->deterministic_until(model->stage_count() - 2)) << name;
    EXPECT_FALSE(model->deterministic_until(model->stage_count() - 1)) << name;
  }
  const auto mobile = make_backbone("mobilenet_v2", *backend, {});
  EXPECT_TRUE(mobile->deterministic_until(mobile->stage_count()));
}

}  // namespace
}  // namespace graft::testing
