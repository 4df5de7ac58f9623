#include "engine/base/nearest_name.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace graft {
namespace {

const std::vector<std::string> kNames = {"epochs",       "batch_size", "lr",       "momentum",
                                         "weight_decay", "resnet18",   "resnet101"};

TEST(NearestName, FindsTheNameMeant) {
  EXPECT_EQ(nearest_name("epoch", kNames), "epochs");
  EXPECT_EQ(nearest_name("batchsize", kNames), "batch_size");
  EXPECT_EQ(nearest_name("wieght_decay", kNames), "weight_decay");
  EXPECT_EQ(nearest_name("Momentum", kNames), "momentum");
  EXPECT_EQ(nearest_name("resnet110", kNames), "resnet101");
  EXPECT_EQ(nearest_name("rl", kNames), "lr");
}

TEST(NearestName, TakesTheFirstOfEquals) {
  const std::vector<std::string> names = {"ab", "ac"};
  EXPECT_EQ(nearest_name("ad", names), "ab");
}

TEST(NearestName, EdgeCases) {
  EXPECT_EQ(nearest_name("anything", {}), "");
  EXPECT_EQ(nearest_name("", kNames), "lr");
}

}  // namespace
}  // namespace graft
