#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "tests/tools/study_folder_fixture.h"
#include "transfer/record.h"

namespace graft::testing {
namespace {

class Resume : public StudyFolderTest {};

TEST_F(Resume, OneJobAndTwoGiveTheSameRecord) {
  ASSERT_EQ(run({"--jobs", "1"}, "one").code, 0);
  ASSERT_EQ(run({"--jobs", "2"}, "two").code, 0);
  EXPECT_EQ(record("one").size(), 12u);
  EXPECT_EQ(record("one"), record("two"));
  EXPECT_EQ(run({"--no-feature-cache"}, "uncached").code, 0);
  EXPECT_EQ(record("uncached"), record("one"));
}

TEST_F(Resume, InterruptedItSaysHowToGoOn) {
  edit_study("epochs: 1", "epochs: 100000");
  GraftProcess process(words("run", {"--jobs", "2"}));
  while (!std::filesystem::exists(path("results") / "runs") && process.running()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  process.send(SIGINT);
  const ProcessResult result = process.wait();
  expect_one_line(result, 130,
                  {"interrupted; 0 of 12 runs are done", "go on with: ", "study run " + path("small.yaml").string(),
                   "--output " + path("results").string() + " --jobs 2"});
}

TEST_F(Resume, AFinishedStudyIsNotRunAgain) {
  ASSERT_EQ(run().code, 0);
  const std::string before = read(path("results") / "results.jsonl");
  const ProcessResult again = run();
  EXPECT_EQ(again.code, 0);
  EXPECT_NE(again.error.find("all 12 runs are there already"), std::string::npos) << again.error;
  EXPECT_EQ(read(path("results") / "results.jsonl"), before);
  // The folder alone is enough to go on from.
  const ProcessResult folder = run_graft({"study", "run", path("results").string(), "--data-dir", data().string()});
  EXPECT_EQ(folder.code, 0) << folder.error;
}

TEST_F(Resume, FailedRunsAreRecordedWithThoseThatWaitForThem) {
  edit_study("lr: 0.02", "lr: 1.0e+30");
  const ProcessResult failed = run({}, "diverged");
  EXPECT_EQ(failed.code, 1);
  EXPECT_NE(failed.error.find("12 of 12 runs failed"), std::string::npos) << failed.error;
  int bases = 0;
  int dependents = 0;
  for (const RunResult& result : read_results(path("diverged"))) {
    EXPECT_EQ(result.status, "failed");
    if (result.error.find("lower training.lr") != std::string::npos) ++bases;
    if (result.error.starts_with("base ") && result.error.ends_with(" failed")) ++dependents;
  }
  EXPECT_EQ(bases, 4) << "two bases and two random networks";
  EXPECT_EQ(dependents, 8);
}

TEST_F(Resume, AFailedRunIsRecordedAndTheRestGoOn) {
  ASSERT_EQ(run({}, "whole").code, 0);
  ASSERT_EQ(run().code, 0);
  // The source's base loses half of its weights, and what was built on it its results: those runs fail, no others.
  std::string kept;
  std::string base;
  for (const RunResult& result : read_results(path("results"))) {
    if (result.treatment == "base" && result.target == "A") base = result.id;
    if (!result.treatment.starts_with("AnB")) kept += to_json_line(result) + "\n";
  }
  write(path("results") / "results.jsonl", kept);
  const auto weights = path("results") / "runs" / base / "checkpoint.safetensors";
  std::filesystem::resize_file(weights, std::filesystem::file_size(weights) / 2);
  const ProcessResult damaged = run();
  EXPECT_EQ(damaged.code, 1);
  EXPECT_NE(damaged.error.find("4 of 12 runs failed"), std::string::npos) << damaged.error;
  EXPECT_NE(damaged.error.find("checkpoint.safetensors"), std::string::npos) << damaged.error;
  // Without the damaged file its base is trained again, and all is as it was.
  std::filesystem::remove(weights);
  EXPECT_EQ(run().code, 0);
  EXPECT_EQ(record(), record("whole"));
}

}  // namespace
}  // namespace graft::testing
