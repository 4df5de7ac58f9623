#include "transfer/study_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <thread>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "tests/transfer/study_fixture.h"

namespace graft::testing {
namespace {

using std::chrono::milliseconds;
namespace fs = std::filesystem;

RunResult result_of(const std::string& id, const std::string& status = "ok") {
  RunResult result;
  result.id = id;
  result.status = status;
  return result;
}

std::vector<std::string> ids_in(const fs::path& file) {
  std::vector<std::string> ids;
  for (const RunResult& result : read_record(file)) ids.push_back(result.id);
  return ids;
}

class StudyProcessTest : public ::testing::Test {
 protected:
  std::unique_ptr<StudyProcess> start(const std::string& label) {
    auto process = std::make_unique<StudyProcess>(folder(), StudyProcess::Options{.label = label});
    process->begin_work();
    return process;
  }
  const fs::path& folder() const { return folder_.path(); }
  fs::path whole() const { return folder() / "results.jsonl"; }
  fs::path record_of(const StudyProcess& process) const { return folder() / ("results-" + process.name() + ".jsonl"); }

 private:
  TemporaryFolder folder_;
};

TEST_F(StudyProcessTest, TheFirstWritesTheRecordOthersTheirOwnAndTheLastMakesOneOfThem) {
  auto first = start("first");
  auto second = start("second");
  EXPECT_TRUE(first->first());
  EXPECT_FALSE(second->first());
  ASSERT_EQ(first->claim("a"), RunClaim::taken);
  ASSERT_EQ(second->claim("b"), RunClaim::taken);
  EXPECT_EQ(first->claim("b"), RunClaim::elsewhere);
  EXPECT_TRUE(first->record(result_of("a")));
  EXPECT_TRUE(second->record(result_of("b", "failed")));
  EXPECT_EQ(first->claim("b"), RunClaim::failed);
  EXPECT_EQ(second->claim("a"), RunClaim::ok);
  EXPECT_EQ(ids_in(whole()), std::vector<std::string>{"a"});
  EXPECT_EQ(ids_in(record_of(*second)), std::vector<std::string>{"b"});
  EXPECT_EQ(read_results(folder()).size(), 2u);

  const fs::path own = record_of(*second);
  EXPECT_FALSE(first->end([] { ADD_FAILURE() << "another goes on"; }));
  first.reset();
  bool called = false;
  EXPECT_TRUE(second->end([&] { called = true; }));
  EXPECT_TRUE(called);
  EXPECT_EQ(ids_in(whole()), (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(fs::exists(own));
}

/// Both wait for the folder to close it; whoever gets it second is the last.
TEST_F(StudyProcessTest, OfTwoThatEndTogetherOneIsTheLast) {
  for (int round = 0; round < 20; ++round) {
    auto first = start("first");
    auto second = start("second");
    std::array<bool, 2> last{};
    {
      const std::jthread one([&] { last[0] = first->end([] {}); });
      const std::jthread other([&] { last[1] = second->end([] {}); });
    }
    EXPECT_NE(last[0], last[1]) << "round " << round;
  }
}

TEST_F(StudyProcessTest, WhatIsHeldIsFreeOnceTheProcessEndsEarly) {
  auto first = start("first");
  auto second = start("second");
  ASSERT_EQ(first->claim("a"), RunClaim::taken);
  first.reset();
  EXPECT_EQ(second->claim("a"), RunClaim::taken);
}

TEST_F(StudyProcessTest, StopFlagsEndRuns) {
  auto process = start("one");
  ASSERT_EQ(process->claim("a"), RunClaim::taken);
  EXPECT_FALSE(process->stop_flag("a"));
  process->stop_all();
  EXPECT_TRUE(process->stop_flag("a"));
  EXPECT_TRUE(process->holds("a"));
}

/// What a process does in a child that is then killed.
void in_killed_child(const std::function<void()>& action) {
  std::array<int, 2> done{};
  ASSERT_EQ(pipe(done.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    action();
    const char ready = 1;
    if (write(done[1], &ready, 1) == 1) pause();
    _exit(0);
  }
  close(done[1]);
  char ready = 0;
  EXPECT_EQ(read(done[0], &ready, 1), 1);
  close(done[0]);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST_F(StudyProcessTest, AResultWhoseWriterWasKilledBeforeItEndedTheLeaseCounts) {
  in_killed_child([&] {
    StudyProcess* process = start("killed").release();
    process->claim("recorded");
    process->claim("failed");
    process->claim("unfinished");
    // As StudyProcess::record, killed before the lease's end.
    std::string text = to_json_line(result_of("recorded")) + "\n" + to_json_line(result_of("failed", "failed")) + "\n";
    write_text(whole(), text + to_json_line(result_of("unfinished")).substr(0, 50));
  });
  auto next = start("next");
  EXPECT_TRUE(next->first());
  EXPECT_EQ(next->claim("recorded"), RunClaim::ok);
  EXPECT_EQ(next->claim("failed"), RunClaim::taken) << "it is tried again";
  EXPECT_EQ(next->claim("unfinished"), RunClaim::taken);
}

TEST_F(StudyProcessTest, TheFirstAfterAllWereKilledMayPutTheFolderInOrder) {
  in_killed_child([&] { start("killed").release()->claim("a"); });
  auto process = start("first");
  ASSERT_TRUE(process->first());
  process->clear_leases();
  int others = 0;
  for (const auto& entry : fs::directory_iterator(folder() / "leases")) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("folder.") && name != "process-" + process->name()) ++others;
  }
  EXPECT_EQ(others, 0);
}

/// A process that gave no sign of life for too long (its machine slept) must not record what another has taken over.
TEST_F(StudyProcessTest, AStoppedProcessFindsItsRunTakenOver) {
  constexpr milliseconds kSilence{600};
  std::array<int, 2> answers{};
  ASSERT_EQ(pipe(answers.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    StudyProcess process(folder(), {.label = "stopped", .silence = kSilence});
    process.begin_work();
    char answer = process.claim("a") == RunClaim::taken ? 'y' : 'n';
    if (write(answers[1], &answer, 1) != 1) _exit(1);
    while (!process.stop_flag("a")) std::this_thread::sleep_for(milliseconds(5));
    answer = process.holds("a") || process.record(result_of("a")) ? 'n' : 'y';
    if (write(answers[1], &answer, 1) != 1) _exit(1);
    _exit(0);
  }
  char answer = 0;
  ASSERT_EQ(read(answers[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  kill(child, SIGSTOP);
  StudyProcess process(folder(), {.label = "next", .silence = kSilence});
  EXPECT_FALSE(process.first()) << "nothing says yet that the other one is gone";
  process.begin_work();
  RunClaim claim = RunClaim::elsewhere;
  for (int tries = 0; tries < 2000 && claim == RunClaim::elsewhere; ++tries) {
    claim = process.claim("a");
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(claim, RunClaim::taken);
  kill(child, SIGCONT);
  EXPECT_EQ(read(answers[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y') << "the process that was stopped recorded a run that it had lost";
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(process.record(result_of("a")));
  EXPECT_EQ(read_results(folder()).size(), 1u);
}

TEST_F(StudyProcessTest, AFolderThatCannotBeWrittenIsAnErrorThatNamesIt) {
  write_text(folder() / "leases", "a file");
  try {
    StudyProcess process(folder(), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::failure);
    EXPECT_NE(std::string(error.what()).find(folder().string()), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace graft::testing
