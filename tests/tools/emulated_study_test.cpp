// A study on the emulated device, from the command line to the record.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tests/tools/study_folder_fixture.h"
#include "transfer/record.h"

namespace graft::testing {
namespace {

class EmulatedStudy : public StudyFolderTest {};

TEST_F(EmulatedStudy, TrainsWhatTheCpuTrainsWithTheFeatureCacheAndWithout) {
  if (!has_emulated_device()) GTEST_SKIP() << "this build is without the emulated device";
  edit_study("treatments: [base, BnB, BnB+, AnB, AnB+, random]", "treatments: [AnB, AnB+]");
  edit_study("train_per_class: 12", "train_per_class: 8");
  const std::vector<std::string> emulated{"--device", "cuda-emulated", "--jobs", "1"};
  ASSERT_EQ(run().code, 0);
  const ProcessResult cached = run(emulated, "emulated");
  ASSERT_EQ(cached.code, 0) << cached.error;
  std::vector<std::string> uncached = emulated;
  uncached.emplace_back("--no-feature-cache");
  ASSERT_EQ(run(uncached, "uncached").code, 0);
  EXPECT_EQ(record("emulated"), record("uncached"));

  // Ids hold the device kind: runs are paired by what they are.
  const auto key = [](const RunResult& r) { return r.treatment + std::to_string(r.cut) + r.target; };
  std::map<std::string, RunResult> by_cpu;
  for (const RunResult& result : read_results(path("results"))) by_cpu[key(result)] = result;
  const std::vector<RunResult> results = read_results(path("emulated"));
  EXPECT_EQ(results.size(), by_cpu.size());
  for (const RunResult& result : results) {
    ASSERT_TRUE(by_cpu.contains(key(result))) << key(result);
    EXPECT_EQ(result.status, "ok") << result.error;
    EXPECT_NEAR(result.train_loss, by_cpu[key(result)].train_loss, 1e-4) << key(result);
    EXPECT_EQ(result.frozen_hash_before, result.frozen_hash_after) << key(result);
  }
}

}  // namespace
}  // namespace graft::testing
