#include "engine/optim/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/base/error.h"

namespace graft::testing {
namespace {

TEST(Schedule, ConstantStays) {
  const Schedule schedule{.base = 0.3, .total_steps = 10};
  for (std::int64_t step = 0; step < 10; ++step) EXPECT_EQ(schedule.at(step), 0.3);
}

// The demo's protocol: lr = 0.05 min(1, (t + 1) / 50) (1 - t / T).
TEST(Schedule, LinearWithWarmup) {
  const Schedule schedule{.kind = ScheduleKind::linear, .base = 0.05, .total_steps = 460, .warmup_steps = 50};
  for (const std::int64_t t : {0, 1, 48, 49, 50, 200, 459}) {
    const auto step = static_cast<double>(t);
    EXPECT_NEAR(schedule.at(t), 0.05 * std::min(1.0, (step + 1) / 50) * (1 - step / 460), 1e-17) << t;
  }
  EXPECT_NEAR(schedule.at(0), 0.001, 1e-17);
  EXPECT_GT(schedule.at(459), 0.0);
}

TEST(Schedule, CosineGoesFromBaseOverHalfToNearZero) {
  const Schedule schedule{.kind = ScheduleKind::cosine, .base = 2.0, .total_steps = 100};
  EXPECT_EQ(schedule.at(0), 2.0);
  EXPECT_NEAR(schedule.at(25), 1.0 + std::sqrt(0.5), 1e-15);
  EXPECT_NEAR(schedule.at(50), 1.0, 1e-15);
  EXPECT_NEAR(schedule.at(99), 1.0 + std::cos(0.99 * 3.14159265358979), 1e-12);
}

TEST(Schedule, StepFallsAtItsMilestones) {
  const Schedule schedule{
      .kind = ScheduleKind::step, .base = 1.0, .total_steps = 100, .milestones = {30, 60}, .gamma = 0.5};
  EXPECT_EQ(schedule.at(29), 1.0);
  EXPECT_EQ(schedule.at(30), 0.5);
  EXPECT_EQ(schedule.at(59), 0.5);
  EXPECT_EQ(schedule.at(60), 0.25);
}

TEST(Schedule, RefusesStepsOutsideItsRange) {
  const Schedule schedule{.total_steps = 10};
  EXPECT_THROW(schedule.at(10), Error);
  EXPECT_THROW(schedule.at(-1), Error);
}

TEST(Schedule, NamesGoBothWays) {
  for (const auto kind : {ScheduleKind::constant, ScheduleKind::step, ScheduleKind::linear, ScheduleKind::cosine}) {
    EXPECT_EQ(schedule_kind_from_name(name_of(kind)), kind);
  }
  try {
    schedule_kind_from_name("cosin");
    FAIL() << "an unknown schedule was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    for (const char* name : {"cosin", "constant", "step", "linear", "cosine"}) {
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << name;
    }
  }
}

}  // namespace
}  // namespace graft::testing
