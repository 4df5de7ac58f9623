#pragma once

#include <span>
#include <string>
#include <vector>

#include "transfer/contrast.h"

namespace graft {

/// What carried layers do at each cut with the reason, signs against what is expected, and what was refused: a line
/// each under three headings, those without a line left out.
std::string verdicts_text(std::span<const Contrast> contrasts, const DecisionRule& rule);

/// For a terminal, group of splits by group: every contrast with its interval and verdict, the decomposition by cut,
/// what the verdicts of carried layers rest on, what limits the intervals, what was refused, and what to use.
/// `observations` are those that the contrasts were made of.
std::string contrasts_text(std::span<const Observation> observations, std::span<const Contrast> contrasts,
                           const DecisionRule& rule);

}  // namespace graft
