#include "transfer/runner_folder.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "tests/transfer/run_fixture.h"

namespace graft::testing {
namespace {

class RunnerFolderTest : public ::testing::Test {
 protected:
  RunnerFolderTest() : bench_({}, {}) {}

  RunResult ok(const std::string& treatment, int cut, double top1 = 0.5) const {
    RunResult result = failed_result(bench_.find(treatment, cut), environment_, "");
    result.status = "ok";
    result.top1 = top1;
    return result;
  }
  RunResult failed(const std::string& treatment, int cut) const {
    return failed_result(bench_.find(treatment, cut), environment_, "no memory");
  }
  void write(const std::vector<RunResult>& results, const std::string& torn = "") const {
    std::string text;
    for (const RunResult& result : results) text += to_json_line(result) + "\n";
    write_text(folder_.path() / "results.jsonl", text + torn);
  }

  StudyBench bench_;
  RunEnvironment environment_;
  TemporaryFolder folder_;
};

TEST_F(RunnerFolderTest, KeepsTheLatestFinishedLineOfARun) {
  const std::vector<RunResult> kept =
      results_to_keep({failed("random", 1), ok("random", 1, 0.25), ok("random", 3), failed("random", 3)}, bench_.plan(),
                      folder_.path());
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept.front().top1, 0.25);
}

TEST_F(RunnerFolderTest, ABaseWithoutWeightsIsTrainedAgainIfSomethingWaitsForIt) {
  EXPECT_TRUE(results_to_keep({ok("base", 0)}, bench_.plan(), folder_.path()).empty());
  std::vector<RunResult> all;
  for (const RunSpec& run : bench_.plan().runs) {
    all.push_back(failed_result(run, environment_, ""));
    all.back().status = "ok";
  }
  EXPECT_EQ(results_to_keep(all, bench_.plan(), folder_.path()).size(), all.size());
}

TEST_F(RunnerFolderTest, TakesUpATornRecord) {
  write({ok("random", 1), failed("random", 3)}, R"({"id": "12)");
  RunnerFolder folder(folder_.path());
  ASSERT_EQ(folder.take_up(bench_.plan()).size(), 1u);
  EXPECT_EQ(read_text(folder.results_file()), to_json_line(ok("random", 1)) + "\n");
}

TEST_F(RunnerFolderTest, RefusesRunsOfAnotherPlan) {
  RunResult other = ok("random", 1);
  other.id = "0123456789abcdef";
  write({other});
  RunnerFolder folder(folder_.path());
  try {
    folder.take_up(bench_.plan());
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_NE(std::string(error.what()).find("run 0123456789abcdef, which is not in this study"), std::string::npos);
  }
}

TEST_F(RunnerFolderTest, TakesUpTheRecordsOfProcessesThatWereKilled) {
  write({ok("random", 1)});
  write_text(folder_.path() / "results-host-1.jsonl",
             to_json_line(ok("random", 3)) + "\n" + to_json_line(ok("random", 1)));
  RunnerFolder folder(folder_.path());
  EXPECT_EQ(folder.results(bench_.plan()).size(), 2u);
  EXPECT_EQ(folder.take_up(bench_.plan()).size(), 2u);
  EXPECT_EQ(record_files(folder_.path()), std::vector<std::filesystem::path>{folder.results_file()});
  EXPECT_EQ(read_text(folder.results_file()),
            to_json_line(ok("random", 1)) + "\n" + to_json_line(ok("random", 3)) + "\n");
}

TEST_F(RunnerFolderTest, MergedRecordsKeepFailuresAndTheLastLineOfARun) {
  write({failed("random", 1), ok("random", 3, 0.25)});
  write_text(folder_.path() / "results-a.jsonl", to_json_line(ok("random", 1)) + "\n");
  write_text(folder_.path() / "results-b.jsonl", to_json_line(failed("base", 0)) + "\n");
  merge_records(folder_.path());
  const std::vector<RunResult> merged = read_record(folder_.path() / "results.jsonl");
  ASSERT_EQ(merged.size(), 3u);
  EXPECT_EQ(merged[0].status, "ok");
  EXPECT_EQ(merged[1].top1, 0.25);
  EXPECT_EQ(merged[2].status, "failed");
  EXPECT_EQ(record_files(folder_.path()).size(), 1u);
}

TEST_F(RunnerFolderTest, NamesTheOtherBinary) {
  const RunnerFolder folder(folder_.path());
  RunResult result = ok("random", 1);
  result.binary = std::string(64, 'a');
  EXPECT_NO_THROW(folder.check_binary({result}, result.binary));
  EXPECT_THROW(folder.check_binary({result}, std::string(64, 'b')), Error);
}

}  // namespace
}  // namespace graft::testing
