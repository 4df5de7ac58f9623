#include <gtest/gtest.h>
#include <signal.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <set>
#include <thread>

#include "engine/base/philox.h"
#include "tests/tools/study_folder_fixture.h"
#include "transfer/record.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;
using Milliseconds = std::chrono::duration<double, std::milli>;

/// Studies that are killed, and studies that several processes train.
class SeveralProcesses : public StudyFolderTest {
 protected:
  SeveralProcesses() {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(run({}, "alone").code, 0);
    whole_ = std::chrono::steady_clock::now() - start;
    alone_ = record("alone");
  }

  /// Sleeps for a part of what the study takes undisturbed.
  void sleep_for(double part) const { std::this_thread::sleep_for(part * whole_); }
  /// Sleeps for less than `part` of it, and for longer with every kill of this study that went before: however slow the
  /// machine has become since the study was timed, it comes to its end.
  void sleep_before_kill(double part, std::uint64_t word) {
    sleep_for((part + 0.01 * kills_of_study_) * chance(word));
    ++kills_of_study_;
  }
  /// In [0, 1).
  double chance(std::uint64_t i) { return static_cast<double>(uniform_float(random_.word(word_++, i))); }

  /// Every finished run that was ever recorded is still there, and all lines of one say the same.
  void expect_nothing_lost() {
    std::set<std::string> lines;
    std::set<std::string> ids;
    for (const RunResult& result : read_results(path("results"))) {
      ASSERT_EQ(result.status, "ok") << result.error;
      ids.insert(result.id);
      lines.insert(comparable_lines({result}).front());
    }
    EXPECT_EQ(lines.size(), ids.size()) << "a run was recorded with two results";
    for (const std::string& id : recorded_) EXPECT_TRUE(ids.contains(id)) << "run " << id << " was lost";
    recorded_ = ids;
  }
  void expect_the_undisturbed_record() {
    expect_nothing_lost();
    EXPECT_EQ(record(), alone_);
    EXPECT_EQ(record_files(path("results")).size(), 1u);
    EXPECT_FALSE(fs::exists(path("results") / "features"));
    const ProcessResult verified =
        run_graft({"study", "verify", path("results").string(), "--data-dir", data().string()});
    EXPECT_EQ(verified.code, 0) << verified.out << verified.error;
  }
  bool complete() const { return record().size() == alone_.size(); }
  /// A finished study begins anew.
  void begin_anew() {
    fs::remove_all(path("results"));
    recorded_.clear();
    kills_of_study_ = 0;
  }

  std::chrono::duration<double> whole_{};
  std::vector<std::string> alone_;
  std::set<std::string> recorded_;

 private:
  RandomStream random_{.seed = 20, .stream = stream_of("kills")};
  std::uint64_t word_ = 0;
  int kills_of_study_ = 0;
};

TEST_F(SeveralProcesses, KilledAHundredTimesTheRecordIsAsIfUndisturbed) {
  int finished = 0;
  for (int killed = 0; killed < 100 || finished < 2;) {
    GraftProcess process(words("run", {"--jobs", "2"}));
    sleep_before_kill(0.5, 0);
    if (process.running()) process.send(SIGKILL);
    const ProcessResult end = process.wait();  // it may have come to its end before the signal came to it
    expect_nothing_lost();
    if (end.signal == SIGKILL) ++killed;
    if (end.signal == SIGKILL && !complete()) continue;
    ASSERT_EQ(run({"--jobs", "2"}).code, 0);
    expect_the_undisturbed_record();
    ++finished;
    begin_anew();
  }
  ASSERT_EQ(run({"--jobs", "2"}).code, 0);
  expect_the_undisturbed_record();
}

TEST_F(SeveralProcesses, TwoTrainOneStudyAndEachRunOnce) {
  GraftProcess first(words("run", {"--jobs", "1"}));
  GraftProcess second(words("run", {"--jobs", "1"}));
  const std::array<ProcessResult, 2> ends{first.wait(), second.wait()};
  std::multiset<std::string> trained;
  int tables = 0;
  for (const ProcessResult& end : ends) {
    EXPECT_EQ(end.code, 0) << end.error;
    if (!end.out.empty()) ++tables;
    for (const std::string& line : lines_of(end.error)) {
      if (line.find(": top-1 ") != std::string::npos) trained.insert(line.substr(line.find("] ")));
    }
  }
  EXPECT_EQ(tables, 1) << "the last one to end prints the table";
  EXPECT_EQ(trained.size(), alone_.size());
  expect_the_undisturbed_record();
}

/// Two processes, either of which is killed at any moment and started again.
TEST_F(SeveralProcesses, EitherOfTwoKilledAHundredTimesTheRecordIsAsIfUndisturbed) {
  const auto start = [&] { return std::make_unique<GraftProcess>(words("run", {"--jobs", "1"})); };
  std::array<std::unique_ptr<GraftProcess>, 2> processes{start(), start()};
  int studies = 0;
  for (int killed = 0; killed < 100 || studies < 2;) {
    sleep_before_kill(0.3, 1);
    auto& process = processes.at(chance(2) < 0.5 ? 0 : 1);
    if (process->running()) process->send(SIGKILL);
    const ProcessResult end = process->wait();
    if (end.signal == SIGKILL) {
      ++killed;
    } else {
      EXPECT_EQ(end.code, 0) << end.error;
    }
    expect_nothing_lost();
    if (complete()) {
      for (auto& one : processes) one->wait();
      ASSERT_EQ(run({"--jobs", "2"}).code, 0);
      expect_the_undisturbed_record();
      begin_anew();
      ++studies;
      processes = {start(), start()};
    } else {
      process = start();
    }
  }
}

TEST_F(SeveralProcesses, OneMoreMayJoinAndAnotherBinaryMayNot) {
  edit_study("epochs: 1", "epochs: 100000");
  GraftProcess first(words("run", {}, "long"));
  while (!fs::exists(path("long") / "runs") && first.running()) std::this_thread::sleep_for(Milliseconds(10));
  expect_one_line(run({"--threads", "2"}, "long"), 3, {"--threads 1", "give another folder with --output"});
  edit_study("lr: 0.02", "lr: 0.03");
  expect_one_line(run({}, "long"), 3, {"holds the results of another study"});
  edit_study("lr: 0.03", "lr: 0.02");
  const fs::path manifest = path("long") / "manifest.json";
  const std::string text = read(manifest);
  std::string other = text;
  const std::size_t hash = other.find("\"sha256\"", other.find("\"binaries\""));
  ASSERT_NE(hash, std::string::npos);
  other.replace(other.find(": \"", hash) + 3, 4, "0000");
  write(manifest, other);
  expect_one_line(run({}, "long"), 3, {"another binary is training this study", "--accept-binary"});
  write(manifest, text);
  first.send(SIGTERM);
  EXPECT_EQ(first.wait().code, 130);
}

/// The number that a process's sign of life gives, or 0.
pid_t pid_of(const fs::path& leases, const std::string& rank, const std::function<std::string(fs::path)>& read) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(leases, error)) {
    if (!entry.path().filename().string().starts_with("process-" + rank + "-")) continue;
    const std::string text = read(entry.path());
    const std::size_t at = text.find("\npid ");
    if (at != std::string::npos) return static_cast<pid_t>(std::strtol(text.c_str() + at + 5, nullptr, 10));
  }
  return 0;
}

/// Each launch loses a rank; the other takes its run over and ends the study.
TEST_F(SeveralProcesses, UnderMpirunAKilledRankLosesNothing) {
  const fs::path mpirun = "/usr/bin/mpirun";
  if (!fs::exists(mpirun)) GTEST_SKIP() << "no mpirun here";
  edit_study("epochs: 1", "epochs: 4");
  ASSERT_EQ(run({}, "longer").code, 0);
  alone_ = record("longer");
  const auto read_file = [&](const fs::path& file) { return read(file); };
  double part = 0.5;
  int killed = 0;
  for (int launches = 0; killed < 4 && launches < 20; ++launches) {
    begin_anew();
    std::vector<std::string> line{"--enable-recovery", "--oversubscribe", "-n", "2", GRAFT_BINARY};
    for (const std::string& word : words("run", {"--jobs", "1"})) line.push_back(word);
    GraftProcess launch(line, {.program = mpirun,
                               .environment = {{"OMPI_ALLOW_RUN_AS_ROOT", "1"},
                                               {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"},
                                               {"OMPI_MCA_plm_rsh_agent", "false"}}});
    const fs::path leases = path("results") / "leases";
    const std::string rank = killed % 2 == 0 ? "rank1" : "rank0";
    pid_t pid = 0;
    while ((pid = pid_of(leases, rank, read_file)) == 0 && launch.running()) {
      std::this_thread::sleep_for(Milliseconds(2));
    }
    sleep_for(part * chance(3));
    if (pid != 0 && kill(pid, SIGKILL) == 0) {
      ++killed;
    } else {
      part *= 0.5;  // the rank had come to its end
    }
    launch.wait();
    expect_nothing_lost();
    if (!complete()) {  // mpirun may end the other rank with the first
      ASSERT_EQ(run().code, 0);
    }
    expect_the_undisturbed_record();
  }
  EXPECT_EQ(killed, 4);
}

}  // namespace
}  // namespace graft::testing
