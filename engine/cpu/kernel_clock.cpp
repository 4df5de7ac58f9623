#include "engine/cpu/kernel_clock.h"

#include <string>

namespace graft {

void KernelClock::enter(std::string_view kernel) {
  if (kernel.ends_with("_scratch_bytes")) return;
  leave();
  kernel_ = kernel;
  since_ = Clock::now();
}

std::vector<KernelTime> KernelClock::times() {
  leave();
  kernel_ = {};
  return times_.longest_first();
}

void KernelClock::leave() {
  if (kernel_.empty()) return;
  const std::chrono::duration<double, std::milli> taken = Clock::now() - since_;
  times_.add({.kernel = std::string(kernel_), .calls = 1, .milliseconds = taken.count()});
}

}  // namespace graft
