#pragma once

#include <span>
#include <string>
#include <vector>

#include "transfer/contrast.h"

namespace graft {

/// What is said of a contrast in a word or two. Of layers from another half against base: "transfers" (accuracy gains),
/// "does not matter" (shown to lie within the margin), "negative transfer" (accuracy falls) or "not shown". Of other
/// contrasts: "gain", "equivalent", "loss", "not shown". Either way "refused" where there is no common pair.
std::string verdict_of(const Contrast& contrast);

/// What the verdict rests on, in one line: the difference with its interval at Holm's level, how many contrasts were
/// tested together and how many units there are; evidence of the other sign by name; how many more units would halve
/// the interval where nothing was shown.
std::string reason_of(const Contrast& contrast, const DecisionRule& rule);

/// The units whose difference has the other sign than the mean, the farthest first, as "random0/B -0.0014"; empty
/// unless a sign was shown.
std::vector<std::string> wrong_way_units(const Contrast& contrast);

/// "" or what a shown sign contradicts: of the decomposition's contrasts the sign that each is expected to have.
std::string wrong_way_role(const Contrast& contrast);

}  // namespace graft
