#include "transfer/runner_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

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
  EXPECT_TRUE(pool.finish(*base_b, RunEnd::ok).empty());
  EXPECT_EQ(pool.take()->id, "b1");
  pool.finish(*base_a, RunEnd::ok);
  EXPECT_EQ(pool.take()->id, "a1");
  EXPECT_EQ(pool.take(), nullptr);
}

TEST(RunnerPool, AFailedBaseTakesItsDependentsAlong) {
  RunnerPool pool(kRuns, {});
  const RunSpec* base = pool.take();
  const auto lost = pool.finish(*base, RunEnd::failed);
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost.front()->id, "a1");
  pool.finish(*pool.take(), RunEnd::ok);
  EXPECT_EQ(pool.take()->id, "b1");
  EXPECT_EQ(pool.take()->id, "free");
  EXPECT_EQ(pool.take(), nullptr);
}

TEST(RunnerPool, ResumesBehindWhatIsDone) {
  RunnerPool pool(kRuns, {"baseA", "free"});
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
