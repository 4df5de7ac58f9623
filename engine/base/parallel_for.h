#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

namespace graft {

/// Runs body(begin, end) over [0, count) on the OpenMP threads of the calling thread's current count. Each thread gets
/// one contiguous range, of a multiple of `grain` elements but for the last, so that a result that is written per
/// element does not depend on the number of threads. Exceptions must not leave `body`.
template <class Body>
void parallel_for(std::int64_t count, std::int64_t grain, const Body& body) {
  const std::int64_t blocks = (count + grain - 1) / grain;
  const int threads = static_cast<int>(std::min<std::int64_t>(omp_get_max_threads(), blocks));
  if (threads <= 1) {
    if (count > 0) body(std::int64_t{0}, count);
    return;
  }
#pragma omp parallel num_threads(threads)
  {
    const std::int64_t me = omp_get_thread_num();
    const std::int64_t all = omp_get_num_threads();
    const std::int64_t begin = std::min(count, blocks * me / all * grain);
    const std::int64_t end = std::min(count, blocks * (me + 1) / all * grain);
    if (begin < end) body(begin, end);
  }
}

}  // namespace graft
