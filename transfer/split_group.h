#pragma once

#include <span>
#include <string>
#include <vector>

#include "transfer/statistics.h"

namespace graft {

/// Splits that were drawn alike and are pooled: names that differ only in a trailing number (random0, random1, ...).
/// Every other split stands alone.
struct SplitGroup {
  std::string name;                 ///< "random", or a lone split's own name
  std::vector<std::string> splits;  ///< in the order of their first observation
  PairUnit unit = PairUnit::seed;   ///< split_and_target with two or more splits
  std::vector<Observation> observations;
};

/// What splits that are pooled have in common: "random" of "random2", a name without a number as it is.
std::string split_stem(const std::string& split);

/// In the order of their first observation.
std::vector<SplitGroup> split_groups(std::span<const Observation> observations);

}  // namespace graft
