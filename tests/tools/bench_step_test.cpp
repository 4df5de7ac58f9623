#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/tools/graft_process.h"

// `graft bench step --split`: the parts of a step.
namespace graft::testing {
namespace {

using Json = nlohmann::json;

std::vector<std::string> words(const std::string& device, const std::vector<std::string>& more) {
  std::vector<std::string> all{"bench",     "step", "--model",  "convnet6", "--batch",  "2",
                               "--size",    "28",   "--steps",  "2",        "--warmup", "1",
                               "--threads", "1",    "--device", device,     "--split"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// Calls of each kernel in a step; checks what holds for any split.
std::map<std::string, double> calls_of(const std::string& device) {
  const ProcessResult result = run_graft(words(device, {"--json"}));
  EXPECT_EQ(result.code, 0) << result.error;
  std::map<std::string, double> calls;
  if (result.code != 0) return calls;
  double shares = 0.0;
  double before = 1e30;
  const Json row = Json::parse(result.out);
  for (const Json& part : row.at("split")) {
    const auto ms = part.at("ms").get<double>();
    EXPECT_LE(ms, before) << "the longest first";
    EXPECT_TRUE(calls.emplace(part.at("kernel"), part.at("calls")).second) << part << " twice";
    shares += part.at("share").get<double>();
    before = ms;
  }
  EXPECT_NEAR(shares, 1.0, 1e-9);
  return calls;
}

/// convnet6 has five convolutions, the first of which needs no gradient of its input, and two linear layers.
TEST(BenchStepSplit, NamesTheKernelsOfAStepOnTheCpu) {
  std::map<std::string, double> calls = calls_of("cpu");
  EXPECT_EQ(calls["conv2d_forward"], 5.0);
  EXPECT_EQ(calls["conv2d_backward_data"], 4.0);
  EXPECT_EQ(calls["conv2d_backward_weights"], 5.0);
  EXPECT_EQ(calls["gemm"], 6.0);
  EXPECT_EQ(calls["softmax_cross_entropy"], 1.0);
  EXPECT_EQ(calls["sgd_step"], 1.0);
  for (const auto& [kernel, count] : calls) EXPECT_EQ(kernel.find("scratch"), std::string::npos) << kernel;
}

TEST(BenchStepSplit, NamesTheLaunchesOfAStepOnTheEmulatedDevice) {
  if (!has_emulated_device()) GTEST_SKIP() << "this build is without the emulated device";
  std::map<std::string, double> calls = calls_of("cuda-emulated");
  EXPECT_EQ(calls["conv_simt_forward"], 5.0);
  EXPECT_EQ(calls["conv_simt_backward_data"], 4.0);
  EXPECT_EQ(calls["conv_simt_backward_weights"], 5.0);
  EXPECT_EQ(calls["gemm_f32"], 6.0);
  EXPECT_EQ(calls["softmax_cross_entropy"], 1.0);
  EXPECT_EQ(calls["sgd_momentum"], 1.0);
  EXPECT_EQ(calls["copy"], 1.0) << "the learning rate";
  const ProcessResult table = run_graft(words("cuda-emulated", {"--no-graph"}));
  EXPECT_EQ(table.code, 0) << table.error;
  EXPECT_EQ(lines_of(table.out).size(), calls.size() + 3) << "a line a kernel, one of the step, a heading, a sum:\n"
                                                          << table.out;
}

TEST(BenchStepSplit, SaysWhereKernelsAreNotTimed) {
  const ProcessResult result = run_graft(words("reference", {}));
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.error.find("reference does not time its kernels"), std::string::npos) << result.error;
}

}  // namespace
}  // namespace graft::testing
