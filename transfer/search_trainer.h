#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "transfer/executor.h"
#include "transfer/feature_cache.h"
#include "transfer/policy_search.h"
#include "transfer/search_budget.h"
#include "transfer/search_plan.h"
#include "transfer/search_record.h"

namespace graft {

/// Trains the phases of a search, each network once: what the record holds is done. It knows what trainings cost.
class SearchTrainer {
 public:
  /// All of them outlive it.
  SearchTrainer(const SearchOptions& options, const PreparedStudy& prepared, const SearchPlans& plans,
                SearchRecord& record, const SearchBudget& budget);

  /// Counts the operations of a phase and of the base networks that it copies from. To be called before all else.
  void count(const SearchPhase& phase);
  double flops(const RunSpec& run) const { return flops_.at(run.id); }
  /// Seconds of what a phase still has to train, the source's networks among it; nothing while nobody knows.
  std::optional<double> seconds_left(const SearchPhase& phase) const;
  /// Trains and records that. False if it was interrupted.
  bool train(const SearchPhase& phase, SearchStage stage, int rung);

 private:
  bool ended(const RunSpec& run) const;
  SearchPhase source_of(const SearchPhase& phase) const;
  RunEnvironment environment_of(const SearchPhase& phase, const std::atomic<bool>& halt);
  void record(const RunSpec& run, const RunResult& result, SearchStage stage, int rung);
  PlannedTraining planned(const RunSpec& run) const;

  const SearchOptions& options_;
  const PreparedStudy& prepared_;
  const SearchPlans& plans_;
  SearchRecord& record_;
  const SearchBudget& budget_;
  FeatureCache cache_;
  TrainingTimes times_;
  std::map<std::string, double> flops_;  ///< by run id
};

}  // namespace graft
