#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "engine/backend/kernel_times.h"

namespace graft {

/// Gives the time from one kernel's call to the next one's to the first of them.
class KernelClock {
 public:
  /// `kernel` begins. Questions for scratch are no kernels.
  void enter(std::string_view kernel);
  /// All kernels so far, of which the last ends now.
  std::vector<KernelTime> times();

 private:
  using Clock = std::chrono::steady_clock;

  void leave();

  KernelTimes times_;
  std::string_view kernel_;  ///< that runs; empty before the first
  Clock::time_point since_;
};

}  // namespace graft
