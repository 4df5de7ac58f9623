#include "transfer/runner_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/error.h"

namespace graft {
namespace {

RunSpec run(const std::string& id, const std::string& base = "") {
  RunSpec spec;
  spec.id = id;
  spec.depends_on = base;
  return spec;
}

const std::vector<RunSpec> kRuns{run("baseA"), run("baseB"), run("a1", "baseA"), run("b1", "baseB"), run("free")};

TEST(RunnerPool, GivesRunsInOrderAndDependentsAfterTheirBase) {
  RunnerPool pool(kRuns, {});
  const RunSpec* base_a = pool.take();
  const RunSpec* base_b = pool.take();
  EXPECT_EQ(base_a->id, "baseA");
  EXPECT_EQ(base_b->id, "baseB");
  EXPECT_EQ(pool.take()->id, "free");
  pool.finish(*base_b, RunEnd::ok);
  EXPECT_EQ(pool.take()->id, "b1");
  pool.finish(*base_a, RunEnd::ok);
  EXPECT_EQ(pool.take()->id, "a1");
  EXPECT_EQ(pool.take(), nullptr);
}

TEST(RunnerPool, RunsOfAFailedBaseAreGivenOutToBeRecorded) {
  RunnerPool pool(kRuns, {});
  pool.finish(*pool.take(), RunEnd::failed);
  std::vector<std::string> lost;
  std::vector<std::string> trained;
  while (const RunSpec* next = pool.take()) {
    (pool.base_failed(*next) ? lost : trained).push_back(next->id);
    pool.finish(*next, pool.base_failed(*next) ? RunEnd::failed : RunEnd::ok);
  }
  EXPECT_EQ(lost, std::vector<std::string>{"a1"});
  EXPECT_EQ(trained, (std::vector<std::string>{"baseB", "b1", "free"}));
}

TEST(RunnerPool, ResumesBehindWhatIsDone) {
  RunnerPool pool(kRuns, {{"baseA", RunEnd::ok}, {"free", RunEnd::failed}});
  EXPECT_EQ(pool.take()->id, "baseB");
  EXPECT_EQ(pool.take()->id, "a1");
}

TEST(RunnerPool, AWaitingWorkerWakesForTheBaseAndForStop) {
  const std::vector<RunSpec> runs{run("base"), run("one", "base"), run("two", "base")};
  RunnerPool pool(runs, {});
  const RunSpec* base = pool.take();
  std::atomic<int> taken = 0;
  std::jthread worker([&] {
    while (pool.take() != nullptr) ++taken;
  });
  pool.finish(*base, RunEnd::ok);
  worker.join();
  EXPECT_EQ(taken, 2);

  RunnerPool stopped(runs, {});
  stopped.take();
  std::jthread waiting([&] { EXPECT_EQ(stopped.take(), nullptr); });
  stopped.stop();
}

/// Another process records one base and fails with the other; what it is at is asked for until it has ended.
TEST(RunnerPool, WaitsForTheRunsOfOtherProcesses) {
  std::map<std::string, int> asked;
  RunnerPool pool(kRuns, {}, [&](const RunSpec& wanted) {
    const int times = ++asked[wanted.id];
    if (wanted.id == "baseA") return times < 3 ? RunClaim::elsewhere : RunClaim::ok;
    if (wanted.id == "baseB") return RunClaim::failed;
    return wanted.id == "free" && times < 4 ? RunClaim::elsewhere : RunClaim::taken;
  });
  std::set<std::string> trained;
  std::set<std::string> lost;
  while (const RunSpec* next = pool.take()) {
    (pool.base_failed(*next) ? lost : trained).insert(next->id);
    pool.finish(*next, RunEnd::ok);
  }
  EXPECT_EQ(trained, (std::set<std::string>{"a1", "free"}));
  EXPECT_EQ(lost, std::set<std::string>{"b1"});
  EXPECT_EQ(asked["baseA"], 3);
  EXPECT_EQ(asked["baseB"], 1);
}

TEST(RunnerPool, ALostRunIsAskedForAgain) {
  int asked = 0;
  const std::vector<RunSpec> one{run("one")};
  RunnerPool pool(one, {}, [&](const RunSpec&) { return ++asked == 1 ? RunClaim::taken : RunClaim::ok; });
  pool.lose(*pool.take());
  EXPECT_EQ(pool.take(), nullptr);
  EXPECT_EQ(asked, 2);
}

TEST(RunnerPool, KeepsTheFirstError) {
  RunnerPool pool(kRuns, {});
  pool.stop_for(std::make_exception_ptr(Error("first")));
  pool.stop_for(std::make_exception_ptr(Error("second")));
  EXPECT_EQ(pool.take(), nullptr);
  try {
    std::rethrow_exception(pool.error());
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "first");
  }
}

}  // namespace
}  // namespace graft
