#include "engine/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/base/error.h"

namespace graft {

ScheduleKind schedule_kind_from_name(const std::string& name) {
  for (const auto kind : {ScheduleKind::constant, ScheduleKind::step, ScheduleKind::linear, ScheduleKind::cosine}) {
    if (name == name_of(kind)) return kind;
  }
  fail(ErrorKind::usage, "[schedule] {} is unknown: choose constant, step, linear or cosine", name);
}

const char* name_of(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::constant:
      return "constant";
    case ScheduleKind::step:
      return "step";
    case ScheduleKind::linear:
      return "linear";
    case ScheduleKind::cosine:
      return "cosine";
  }
  fail(ErrorKind::failure, "[schedule] kind number {} does not exist", static_cast<int>(kind));
}

namespace {

double shape_at(const Schedule& schedule, std::int64_t step) {
  const double progress = static_cast<double>(step) / static_cast<double>(schedule.total_steps);
  switch (schedule.kind) {
    case ScheduleKind::constant:
      return 1.0;
    case ScheduleKind::linear:
      return 1.0 - progress;
    case ScheduleKind::cosine:
      return (1.0 + std::cos(std::numbers::pi * progress)) / 2.0;
    case ScheduleKind::step:
      break;
  }
  const auto passed = std::count_if(schedule.milestones.begin(), schedule.milestones.end(),
                                    [step](std::int64_t milestone) { return milestone <= step; });
  return std::pow(schedule.gamma, static_cast<double>(passed));
}

}  // namespace

double Schedule::at(std::int64_t step) const {
  check(total_steps >= 1 && step >= 0 && step < total_steps, "[schedule] step {} was asked of {} steps", step,
        total_steps);
  const double warmup =
      warmup_steps <= 0 ? 1.0 : std::min(1.0, static_cast<double>(step + 1) / static_cast<double>(warmup_steps));
  return base * warmup * shape_at(*this, step);
}

}  // namespace graft
