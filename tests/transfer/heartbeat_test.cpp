#include "transfer/heartbeat.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/io/file.h"
#include "tests/transfer/study_fixture.h"
#include "transfer/process_watch.h"

namespace graft::testing {
namespace {

using std::chrono::milliseconds;

TEST(Heartbeat, ASignIsReadAsItWasWritten) {
  const ProcessSign sign{.identity = {.host = "node 7", .boot = "b", .pids = "pid:[1]", .pid = 42, .start = 99},
                         .silence = milliseconds(1500),
                         .state = ProcessState::working,
                         .beat = 12};
  const auto read = parse_process_sign(text_of(sign));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(text_of(*read), text_of(sign));
  EXPECT_EQ(read->identity.host, "node 7");
  EXPECT_EQ(read->state, ProcessState::working);
  const std::string text = text_of(sign);
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(parse_process_sign(text.substr(0, length)).has_value()) << length << " bytes";
  }
}

TEST(Heartbeat, BeatsAreWrittenOverEachOther) {
  const TemporaryFolder folder;
  Heartbeat heartbeat(folder.path(), "host/7", milliseconds(60000));
  EXPECT_TRUE(heartbeat.name().starts_with("host_7-")) << heartbeat.name();
  const auto file = process_file(folder.path(), heartbeat.name());
  const std::string before = read_text(file);
  heartbeat.set_state(ProcessState::ending);
  const std::string after = read_text(file);
  EXPECT_NE(before, after);
  EXPECT_EQ(before.size(), after.size());
  EXPECT_TRUE(heartbeat.stands());
  std::filesystem::remove(file);
  EXPECT_FALSE(heartbeat.stands());
}

TEST(Heartbeat, AnEndedProcessAndAKilledOneAreToldApart) {
  const TemporaryFolder folder;
  ProcessWatch watch(folder.path(), "self", milliseconds(60000));
  std::string ended;
  {
    const Heartbeat heartbeat(folder.path(), "here", milliseconds(60000));
    ended = heartbeat.name();
    EXPECT_EQ(watch.look(ended).sign, Sign::alive);
  }
  EXPECT_EQ(watch.look(ended).sign, Sign::ended);
  const pid_t child = fork();
  if (child == 0) {
    const Heartbeat heartbeat(folder.path(), "child", milliseconds(60000));
    _exit(0);
  }
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  ASSERT_EQ(watch.look_at_all().size(), 1u);
  EXPECT_EQ(watch.look_at_all().front().sign, Sign::dead) << "though its parent has not waited for it";
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(watch.look_at_all().front().sign, Sign::dead);
}

TEST(ProcessIdentity, OnlyOfThisMachineIsDeathCertain) {
  ProcessIdentity process = this_process();
  EXPECT_FALSE(certainly_dead(process));
  ++process.start;
  EXPECT_TRUE(certainly_dead(process)) << "another process has its number now";
  ProcessIdentity elsewhere = process;
  elsewhere.boot = "another";
  EXPECT_FALSE(certainly_dead(elsewhere));
  elsewhere = process;
  elsewhere.pids = "pid:[1]";
  EXPECT_FALSE(certainly_dead(elsewhere));
}

}  // namespace
}  // namespace graft::testing
