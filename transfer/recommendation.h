#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "transfer/contrast.h"

namespace graft {

/// What a network of an arm costs to train.
struct ArmCost {
  Arm arm;
  double seconds = 0.0;
};

/// The cut and policy to use.
struct Recommendation {
  std::string group;                   ///< of splits that it rests on
  Arm arm{"base", 0};                  ///< base: train anew
  const Contrast* evidence = nullptr;  ///< of the arm against base, in the contrasts given; nullptr for base
  std::optional<double> seconds;       ///< a network of the arm
  std::optional<double> base_seconds;
  std::vector<const Contrast*> undecided;  ///< arms with a higher estimate that is not shown, the highest first

  /// What to do, and what it rests on, in one line.
  std::string text(const DecisionRule& rule) const;
};

/// For each group of splits that has an arm which carries layers over from another half and was compared with base:
/// - of the arms that transfer, the one whose interval at Holm's level has the highest lower end; with a margin and
///   costs the cheapest among those whose estimate is within the margin of that one's;
/// - where none does, of the arms that do not matter one that saves training: with costs the cheapest that is cheaper
///   than base, without them the frozen one (no + in its name) with the most layers;
/// - else base.
/// Arms that were refused, or hang on networks that did not train, are no candidates. It chooses by the same networks
/// that it then quotes: the estimate of the best of several is a little too high.
std::vector<Recommendation> recommend(std::span<const Contrast> contrasts, const DecisionRule& rule,
                                      std::span<const ArmCost> costs = {});

}  // namespace graft
