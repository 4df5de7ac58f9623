#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace graft {

/// What all calls of one kernel took.
struct KernelTime {
  std::string kernel;
  std::int64_t calls = 0;
  double milliseconds = 0.0;
};

/// Adds calls up by kernel.
class KernelTimes {
 public:
  void add(const KernelTime& time);
  /// The longest first; by name where two took the same.
  std::vector<KernelTime> longest_first() const;

 private:
  std::vector<KernelTime> times_;
};

}  // namespace graft
