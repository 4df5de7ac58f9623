#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "transfer/statistics.h"

namespace graft {

/// What limits a contrast's interval: too few units, too few seeds, or too few test images.
struct Precision {
  std::optional<double> standard_error;  ///< of the mean, from the spread of units; nothing for fewer than two
  /// Standard deviation of a pair's difference over seeds of the same target half of a split, pooled over those with
  /// two seeds or more; nothing where there is none.
  std::optional<double> seed_deviation;
  /// Standard error of the mean from the test images alone, with sqrt(p (1 - p) / n) for each network as if the two of
  /// a pair were tested on different images (on the same ones it is mostly less). Seeds of a half share its images and
  /// do not average it out. Nothing where the number of test images is not known.
  std::optional<double> test_set_error;
  std::optional<std::int64_t> units_to_halve;  ///< more units that would halve the interval; nothing without one
  /// Half-width that would be left with seeds without end in each unit: more seeds alone cannot go below it. Nothing
  /// where units are seeds, or seed_deviation is not known.
  std::optional<double> endless_seeds_half_width;
};

Precision precision_of(std::span<const UnitDifference> units, PairUnit unit, double level);

}  // namespace graft
