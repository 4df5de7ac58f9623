#include "transfer/search_trainer.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "transfer/run_files.h"
#include "transfer/search_workers.h"

namespace graft {

SearchTrainer::SearchTrainer(const SearchOptions& options, const PreparedStudy& prepared, const SearchPlans& plans,
                             SearchRecord& record, const SearchBudget& budget)
    : options_(options),
      prepared_(prepared),
      plans_(plans),
      record_(record),
      budget_(budget),
      cache_(options.runner.folder / "features", prepared.plan.study.feature_cache_mib),
      times_(options.seconds_per_flop) {}

void SearchTrainer::count(const SearchPhase& phase) {
  for (const SearchPhase& part : {plans_.source(phase.study.seeds), phase}) {
    const bool known =
        std::all_of(part.runs.begin(), part.runs.end(), [this](const RunSpec& run) { return flops_.contains(run.id); });
    if (known) continue;
    const CostFunction cost_of = options_.costs({.plan = {.study = part.study, .splits = {}, .runs = part.runs},
                                                 .data = part.data,
                                                 .weights_hash = prepared_.weights_hash,
                                                 .stages = prepared_.stages,
                                                 .device_kind = prepared_.device_kind});
    for (const RunSpec& run : part.runs) {
      if (!flops_.emplace(run.id, cost_of(run).flops).second) continue;
      const Evaluation* before = record_.find(run.id);
      if (before != nullptr && before->ok()) times_.learn(planned(run), before->seconds);
    }
  }
}

PlannedTraining SearchTrainer::planned(const RunSpec& run) const {
  return {run.target == "A" ? "of the source" : arm_of(run).name(), flops(run)};
}

/// A base network whose weights are gone has to be trained again if somebody copies from it.
bool SearchTrainer::ended(const RunSpec& run) const {
  const Evaluation* evaluation = record_.find(run.id);
  if (evaluation == nullptr) return false;
  return run.target == "B" || !evaluation->ok() ||
         std::filesystem::exists(checkpoint_path(options_.runner.folder, run.id));
}

/// The base networks of the source that runs of the phase wait for.
SearchPhase SearchTrainer::source_of(const SearchPhase& phase) const {
  std::set<std::string> needed;
  for (const RunSpec& run : phase.runs) {
    if (!ended(run)) needed.insert(run.depends_on);
  }
  SearchPhase source = plans_.source(phase.study.seeds);
  std::erase_if(source.runs, [&](const RunSpec& run) { return !needed.contains(run.id); });
  return source;
}

std::optional<double> SearchTrainer::seconds_left(const SearchPhase& phase) const {
  std::vector<PlannedTraining> left;
  for (const SearchPhase& part : {source_of(phase), phase}) {
    for (const RunSpec& run : part.runs) {
      if (!ended(run)) left.push_back(planned(run));
    }
  }
  return times_.seconds(left, options_.runner.jobs);
}

RunEnvironment SearchTrainer::environment_of(const SearchPhase& phase, const std::atomic<bool>& halt) {
  return {.study = phase.study,
          .data = phase.data,
          .folder = options_.runner.folder,
          .features = options_.runner.feature_cache ? &cache_ : nullptr,
          .binary = options_.runner.binary,
          .versions = options_.runner.versions,
          .stop = &halt};
}

void SearchTrainer::record(const RunSpec& run, const RunResult& result, SearchStage stage, int rung) {
  Evaluation evaluation = evaluation_of(result, run.target == "A" ? SearchStage::source : stage, rung);
  evaluation.used = budget_.used();
  record_.add(evaluation);
  if (evaluation.ok()) times_.learn(planned(run), evaluation.seconds);
}

bool SearchTrainer::train(const SearchPhase& phase, SearchStage stage, int rung) {
  const SearchPhase source = source_of(phase);
  std::atomic<bool> halt = false;
  const RunEnvironment source_environment = environment_of(source, halt);
  const RunEnvironment environment = environment_of(phase, halt);
  SearchTrainings trainings;
  for (const RunSpec& run : source.runs) {
    trainings.runs.push_back(run);
    if (ended(run)) trainings.ended[run.id] = record_.find(run.id)->ok() ? RunEnd::ok : RunEnd::failed;
  }
  for (const RunSpec& run : phase.runs) {
    if (!ended(run)) trainings.runs.push_back(run);
  }
  if (trainings.runs.size() == trainings.ended.size()) return true;
  trainings.environment_of = [&](const RunSpec& run) { return run.target == "A" ? source_environment : environment; };
  trainings.record = [&](const RunSpec& run, const RunResult& result) { record(run, result, stage, rung); };
  RunnerOptions runner = options_.runner;
  for (const auto& [id, evaluation] : record_.evaluations()) {
    runner.backend.choices.insert(evaluation.choices.begin(), evaluation.choices.end());
  }
  return train_all(trainings, runner, halt);
}

}  // namespace graft
