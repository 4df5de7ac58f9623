#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/base/parallel_for.h"

namespace graft {

/// Splits [0, count) into at most `slots` contiguous ranges of whole `grain`s, one a thread, and runs
/// body(slot, begin, end) for each. Returns the number of ranges, which depends on the arguments alone: a reduction
/// that keeps one partial result a slot and joins them in order is the same in every run.
template <class Body>
std::int64_t parallel_slots(std::int64_t slots, std::int64_t count, std::int64_t grain, const Body& body) {
  const std::int64_t blocks = (count + grain - 1) / grain;
  const std::int64_t used = std::min(slots, blocks);
  parallel_for(used, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t slot = first; slot < last; ++slot) {
      const std::int64_t begin = std::min(count, blocks * slot / used * grain);
      const std::int64_t end = std::min(count, blocks * (slot + 1) / used * grain);
      body(slot, begin, end);
    }
  });
  return used;
}

}  // namespace graft
