#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace graft {

enum class ScheduleKind { constant, step, linear, cosine };

/// Throws Error(usage) naming the four.
ScheduleKind schedule_kind_from_name(const std::string& name);
const char* name_of(ScheduleKind kind);

/// A learning rate as a function of the step alone. With t the step from 0 and T all steps:
/// lr = base * min(1, (t + 1) / warmup_steps) * shape(t), shape: constant 1; linear 1 - t / T;
/// cosine (1 + cos(pi t / T)) / 2; step: gamma ^ (number of milestones <= t).
struct Schedule {
  ScheduleKind kind = ScheduleKind::constant;
  double base = 0.1;
  std::int64_t total_steps = 1;
  std::int64_t warmup_steps = 0;           ///< 0: none
  std::vector<std::int64_t> milestones{};  ///< in steps, for kind step
  double gamma = 0.1;

  double at(std::int64_t step) const;
};

}  // namespace graft
