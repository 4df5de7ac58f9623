#pragma once

#include <time.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace graft::bench {

/// A kernel call to be timed, and the bytes that it must move between the cores and memory at least.
struct Candidate {
  std::string name;
  double bytes;
  std::function<void()> call;
};

/// Seconds of a clock of time.h: the wall's, or with one thread the processor time of that thread, which other
/// programs on the machine do not lengthen.
inline double now(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// The least time of each candidate, measured in turns so that a busy machine disturbs all alike.
inline std::vector<double> least_seconds(const std::vector<Candidate>& candidates, int rounds, clockid_t clock) {
  std::vector<double> least(candidates.size(), std::numeric_limits<double>::infinity());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const double start = now(clock);
      candidates[i].call();
      least[i] = std::min(least[i], now(clock) - start);
    }
  }
  return least;
}

}  // namespace graft::bench
