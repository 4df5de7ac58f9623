#include "transfer/progress.h"

#include <gtest/gtest.h>

namespace graft {
namespace {

TEST(Progress, Durations) {
  EXPECT_EQ(duration_text(0.4), "0 s");
  EXPECT_EQ(duration_text(59.4), "59 s");
  EXPECT_EQ(duration_text(185.0), "3 min 05 s");
  EXPECT_EQ(duration_text(3600.0 + 12 * 60), "1 h 12 min");
}

TEST(Progress, CountsWhatIsDoneRunningAndFailed) {
  Progress progress(10, 4, 100);
  EXPECT_EQ(progress.status(), "4/10 done, 0 running");
  progress.run_started();
  progress.run_started();
  progress.run_ended("one", false);
  progress.run_ended("two", true);
  progress.run_started();
  EXPECT_EQ(progress.status().find("6/10 done, 1 failed, 1 running, "), 0u) << progress.status();
  EXPECT_NE(progress.status().find("runs/min, ETA "), std::string::npos) << progress.status();
}

}  // namespace
}  // namespace graft
