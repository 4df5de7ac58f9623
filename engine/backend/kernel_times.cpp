#include "engine/backend/kernel_times.h"

#include <algorithm>
#include <tuple>

namespace graft {

void KernelTimes::add(const KernelTime& time) {
  auto row = std::find_if(times_.begin(), times_.end(), [&](const KernelTime& t) { return t.kernel == time.kernel; });
  if (row == times_.end()) row = times_.insert(row, {.kernel = time.kernel});
  row->calls += time.calls;
  row->milliseconds += time.milliseconds;
}

std::vector<KernelTime> KernelTimes::longest_first() const {
  std::vector<KernelTime> rows = times_;
  std::sort(rows.begin(), rows.end(), [](const KernelTime& a, const KernelTime& b) {
    return std::tie(b.milliseconds, a.kernel) < std::tie(a.milliseconds, b.kernel);
  });
  return rows;
}

}  // namespace graft
