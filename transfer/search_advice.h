#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "transfer/policy_search.h"

namespace graft {

/// What a finished search comes to.
struct SearchAdvice {
  SearchArm arm;     ///< to use; base: train anew
  std::string text;  ///< in one line, with what it rests on; no clock has a part in it
};
/// By recommend(), on what is held out alone: the challenger if it transfers there, or if it is frozen and does not
/// matter there; else base.
SearchAdvice advice_of(const SearchOutcome& outcome);

/// The challenger's accuracy where it was chosen and where it was judged.
struct SearchScores {
  double search = 0.0;  ///< of its last rung
  int search_rung = 0;
  std::optional<double> held_out;  ///< mean over seeds
  std::int64_t seeds = 0;
};
SearchScores scores_of(const SearchOutcome& outcome);

/// The challenger's difference to base: as the search saw it, in the last rung that had both, and on what is held out.
struct SearchOptimism {
  std::optional<double> search;
  int rung = 0;  ///< of search
  std::optional<double> held_out;
};
SearchOptimism optimism_of(const SearchOutcome& outcome);

/// Mean seconds of the networks that decided, of base or of the challenger; nothing if none is there.
std::optional<double> seconds_a_network(const SearchOutcome& outcome, bool base);

}  // namespace graft
