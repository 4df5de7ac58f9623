#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/philox.h"

namespace graft {

/// 0 .. count - 1 in the order of step `step` of a random stream (Fisher and Yates).
std::vector<std::int64_t> permutation(std::int64_t count, const RandomStream& random, std::uint64_t step);

}  // namespace graft
