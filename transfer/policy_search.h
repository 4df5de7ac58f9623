#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "transfer/contrast.h"
#include "transfer/plan_cost.h"
#include "transfer/runner.h"
#include "transfer/search_parts.h"
#include "transfer/search_plan.h"
#include "transfer/search_record.h"

namespace graft {

struct SearchOptions {
  RunnerOptions runner;  ///< whose folder is the search's
  SearchShares shares;
  int eta = 3;
  std::int64_t least = 0;  ///< epochs, or steps, of the first rung; 0: the last rung is about the study's training
  std::optional<double> budget;  ///< seconds; nothing: as long as it takes
  std::string split;             ///< of the study's; "" where it has one
  /// Operations of a plan's trainings. They break ties between candidates and are what times are estimated from.
  std::function<CostFunction(const PreparedStudy&)> costs;
  double seconds_per_flop = 0.0;  ///< until something was trained; 0: not known
};

/// A candidate after a rung.
struct RankedArm {
  SearchArm arm;
  Evaluation evaluation;
  bool kept = false;
};

struct RankedRung {
  std::int64_t length = 0;
  std::vector<RankedArm> arms;  ///< the best first
};

/// What a search found, and what it did not look at.
struct SearchOutcome {
  Study study;
  SearchShares shares;
  std::string split;
  std::vector<std::string> classes;  ///< of the target
  std::int64_t training = 0;         ///< images that rungs train on
  std::int64_t validation = 0;       ///< that they are ranked on
  std::int64_t held_out = 0;         ///< that decide
  int eta = 0;
  std::int64_t least = 0;
  std::uint64_t seed = 0;  ///< of rungs
  std::vector<std::string> not_searched;
  std::vector<RankedRung> rungs;
  std::optional<SearchStop> stop;
  SearchArm challenger;             ///< the best arm of the search that carries layers over
  std::vector<Evaluation> decided;  ///< it and base, with every seed, on what is held out
  std::vector<Contrast> contrasts;  ///< of these: one
  std::optional<double> budget;
  double used = 0.0;      ///< seconds, all starts together
  std::int64_t done = 0;  ///< networks that are recorded
  bool interrupted = false;

  const RankedArm& winner() const { return rungs.back().arms.front(); }
};

/// Searches how to train on the target among base and what the study carries over from its source, by successive
/// halving on a part of the target's training images; then retrains the best that carries layers over, and base, with
/// every seed of the study, and compares them on images that no rung has seen. The target's test set is not read. Goes
/// on where its folder stands. A clock decides how many rungs there are, and nothing else.
///
/// Throws Error(usage) if the budget is too small for a rung and the comparison; Error(data) if the folder belongs to
/// another study, search or, without accept_binary, binary; Error(failure) if no network with carried layers trained.
SearchOutcome search_policies(const SearchOptions& options, const PreparedStudy& prepared);

}  // namespace graft
