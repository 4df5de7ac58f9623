#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "transfer/statistics.h"

namespace graft {

/// How differences are judged. The error rates hold in a family (a contrast at all its cuts): the chance to call one or
/// more differences that are 0 a gain or a loss is at most 1 - level, and so is the chance to call one or more
/// equivalent that are the margin or more.
struct DecisionRule {
  double level = 0.95;
  std::optional<double> margin;  ///< a difference up to it does not matter; without it nothing is called equivalent
};

enum class Finding { gain, loss, equivalent, not_shown };

/// What a family of contrasts, tested together, says about one of them. p values are nothing for fewer than two units.
struct Decision {
  Finding finding = Finding::not_shown;
  std::int64_t family = 0;  ///< contrasts that were tested together
  std::optional<double> p;  ///< of the paired t-test
  std::optional<double> p_holm;
  double holm_level = 0.0;  ///< at which Holm's procedure tests it
  IntervalEstimate at_holm_level;
  std::optional<double> p_equivalence;  ///< of two one-sided tests; nothing without a margin
  std::optional<double> p_equivalence_holm;
  bool sign_shown = false;  ///< the interval at Holm's level excludes 0, equivalent or not
};

/// One decision for each member of a family, a member being the differences of its units. Members with fewer than two
/// units are not tested and do not count for Holm's correction. Equivalence goes before a gain or a loss: a difference
/// that is shown to be smaller than what matters does not matter.
std::vector<Decision> decide_family(std::span<const std::vector<double>> members, const DecisionRule& rule);

}  // namespace graft
