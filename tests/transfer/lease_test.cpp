#include "transfer/lease.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <map>
#include <thread>

#include "engine/io/file.h"
#include "tests/transfer/study_fixture.h"

namespace graft::testing {
namespace {

using std::chrono::milliseconds;
using Kind = LeaseFolder::Answer::Kind;

/// A process of a study: its sign of life, its look at the others, its leases.
struct Process {
  explicit Process(const std::filesystem::path& folder, milliseconds silence = milliseconds(60000))
      : heartbeat(folder, "test", silence),
        watch(folder, heartbeat.name(), silence),
        leases(folder, heartbeat.name(), watch, silence) {}
  Heartbeat heartbeat;
  ProcessWatch watch;
  LeaseFolder leases;
};

/// Runs `action` in a process of its own, which ends at once with what it returns, as by a kill.
pid_t start(const std::function<int()>& action) {
  const pid_t pid = fork();
  if (pid == 0) _exit(action());
  return pid;
}

int wait_for(pid_t pid) {
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

constexpr int kNames = 60;
constexpr int kProcesses = 6;

std::string name_of(int i) { return "run" + std::to_string(i); }

/// Every process takes what it can; how many times each name was taken.
std::map<int, int> race(const std::filesystem::path& folder) {
  std::array<int, 2> results{};
  EXPECT_EQ(pipe(results.data()), 0);
  std::vector<pid_t> racers;
  for (int k = 0; k < kProcesses; ++k) {
    racers.push_back(start([&] {
      Process self(folder);
      for (int i = 0; i < kNames; ++i) {
        if (self.leases.take(name_of(i)).kind != Kind::taken) continue;
        if (write(results[1], &i, sizeof i) != sizeof i) return 1;
      }
      close(results[1]);
      pause();  // until all have raced: a lease whose holder is gone is free
      return 0;
    }));
  }
  close(results[1]);
  std::map<int, int> taken;
  int name = 0;
  while (read(results[0], &name, sizeof name) == sizeof name) ++taken[name];
  close(results[0]);
  for (const pid_t racer : racers) {
    kill(racer, SIGKILL);
    wait_for(racer);
  }
  return taken;
}

void expect_each_once(const std::map<int, int>& taken) {
  EXPECT_EQ(taken.size(), static_cast<std::size_t>(kNames));
  for (const auto& [name, times] : taken) EXPECT_EQ(times, 1) << name_of(name);
}

TEST(Lease, OfRacingProcessesOneTakesIt) {
  const TemporaryFolder folder;
  expect_each_once(race(folder.path()));
}

TEST(Lease, OfAKilledProcessIsTakenOverByOne) {
  const TemporaryFolder folder;
  expect_each_once(race(folder.path()));
  for (int round = 0; round < 4; ++round) expect_each_once(race(folder.path()));  // all its takers were killed
}

TEST(Lease, IsBusyWhileItsHolderLivesAndFreeWhenReleased) {
  const TemporaryFolder folder;
  Process first(folder.path());
  Process second(folder.path());
  const auto taken = first.leases.take("run");
  ASSERT_EQ(taken.kind, Kind::taken);
  EXPECT_FALSE(taken.entry.has_value());
  const auto refused = second.leases.take("run");
  EXPECT_EQ(refused.kind, Kind::busy);
  ASSERT_TRUE(refused.entry.has_value());
  EXPECT_EQ(refused.entry->process, first.heartbeat.name());
  EXPECT_TRUE(first.leases.holds(taken.lease));
  EXPECT_TRUE(first.leases.mark(taken.lease, LeaseState::released));
  const auto passed_on = second.leases.take("run");
  ASSERT_EQ(passed_on.kind, Kind::taken);
  EXPECT_EQ(passed_on.lease.generation, 2);
  EXPECT_FALSE(first.leases.holds(taken.lease));
  EXPECT_FALSE(first.leases.mark(taken.lease, LeaseState::recorded)) << "lost";
}

TEST(Lease, OfWhatIsRecordedNobodyTakes) {
  const TemporaryFolder folder;
  Process second(folder.path());
  {
    Process first(folder.path());
    first.leases.set_results("results.jsonl");
    ASSERT_TRUE(first.leases.mark(first.leases.take("run").lease, LeaseState::recorded));
  }
  const auto answer = second.leases.take("run");
  EXPECT_EQ(answer.kind, Kind::recorded);
  EXPECT_EQ(answer.entry->results, "results.jsonl");
}

TEST(Lease, TakingItOverRemovesTheGenerationsBefore) {
  const TemporaryFolder folder;
  Process holder(folder.path());
  Process late(folder.path());
  ASSERT_TRUE(holder.leases.mark(holder.leases.take("run").lease, LeaseState::released));
  ASSERT_EQ(holder.leases.take("run").lease.generation, 2);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "run.1"));
  EXPECT_EQ(late.leases.take("run").kind, Kind::busy);
}

TEST(Lease, AFileThatAKilledCreatorLeftEmptyIsFreeAfterTheSilence) {
  const TemporaryFolder folder;
  write_text(folder.path() / "run.1", "");
  write_text(folder.path() / "torn.3", "process so");
  Process patient(folder.path());
  Process self(folder.path(), milliseconds(8));
  for (const char* name : {"run", "torn"}) {
    EXPECT_EQ(patient.leases.take(name).kind, Kind::busy);
    EXPECT_EQ(self.leases.take(name).kind, Kind::busy) << "at first sight";
    while (self.leases.take(name).kind != Kind::taken) std::this_thread::sleep_for(milliseconds(1));
    EXPECT_EQ(patient.leases.take(name).kind, Kind::busy);
  }
}

/// A stopped process beats no more. Others take over what it holds; when it goes on it finds that it has lost.
TEST(Lease, AStoppedHolderFindsThatItHasLost) {
  const TemporaryFolder folder;
  std::array<int, 2> ready{};
  ASSERT_EQ(pipe(ready.data()), 0);
  const pid_t holder = start([&] {
    Process self(folder.path(), milliseconds(100));
    const auto taken = self.leases.take("run");
    if (taken.kind != Kind::taken || !self.leases.holds(taken.lease) || write(ready[1], "x", 1) != 1) return 1;
    raise(SIGSTOP);
    return self.leases.holds(taken.lease) ? 2 : self.leases.mark(taken.lease, LeaseState::recorded) ? 3 : 0;
  });
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  int status = 0;
  ASSERT_EQ(waitpid(holder, &status, WUNTRACED), holder);
  ASSERT_TRUE(WIFSTOPPED(status));
  Process other(folder.path());
  while (other.leases.take("run").kind != Kind::taken) std::this_thread::sleep_for(milliseconds(5));
  kill(holder, SIGCONT);
  EXPECT_EQ(wait_for(holder), 0);
  close(ready[0]);
  close(ready[1]);
}

TEST(SilenceWatch, CountsItsOwnTimeBetweenLooks) {
  SilenceWatch watch;
  SilenceWatch::Clock::time_point now{};
  const auto look = [&](const std::string& text, int milliseconds_later) {
    now += milliseconds(milliseconds_later);
    return watch.silent("a", text, milliseconds(1000), now);
  };
  EXPECT_FALSE(look("1", 5000)) << "the first look knows of no time before it";
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(look("1", 100));
  EXPECT_TRUE(look("1", 100));
  EXPECT_FALSE(look("2", 100)) << "a beat";
  // A file system that hung for an hour, or a process that was stopped: one look is not enough.
  EXPECT_FALSE(look("2", 3600000));
  EXPECT_FALSE(look("2", 3600000));
  EXPECT_FALSE(look("2", 3600000));
  EXPECT_TRUE(look("2", 3600000));
}

}  // namespace
}  // namespace graft::testing
