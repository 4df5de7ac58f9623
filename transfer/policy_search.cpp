#include "transfer/policy_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/log.h"
#include "transfer/progress.h"
#include "transfer/report_verdicts.h"
#include "transfer/search_budget.h"
#include "transfer/search_folder.h"
#include "transfer/search_report.h"
#include "transfer/search_trainer.h"
#include "transfer/successive_halving.h"

namespace graft {
namespace {

SearchSettings settings_of(const SearchOptions& options, const PreparedStudy& prepared, const SearchPlans& plans,
                           std::int64_t least) {
  std::vector<std::string> names;
  for (const SearchArm& arm : plans.arms()) names.push_back(arm.name());
  return {{"study", prepared.plan.study.name},
          {"split", plans.split().name},
          {"candidates", fmt::format("{}", fmt::join(names, ", "))},
          {"--eta", fmt::to_string(options.eta)},
          {"--min-epochs", fmt::to_string(least)},
          {"--validation", fmt::to_string(options.shares.validation)},
          {"--held-out", fmt::to_string(options.shares.held_out)},
          {"seed", fmt::to_string(plans.seed())},
          {"device", prepared.device_kind},
          {"--threads", fmt::to_string(options.runner.backend.threads)},
          {"data", hash_of(prepared.data.target)},
          {"source data", hash_of(prepared.data.source)},
          {"source weights", prepared.weights_hash}};
}

[[noreturn]] void fail_for_time(const SearchStop& stop) {
  const std::string budget = stop.budget < 10.0 ? fmt::format("{:g} s", stop.budget) : duration_text(stop.budget);
  fail(ErrorKind::usage,
       "--budget is {}, too little for one rung of {} candidates (about {} with the networks of the source) and the "
       "comparison on what is held out (about {}), {} are used: give at least {}, or search fewer cuts",
       budget, stop.candidates, duration_text(stop.estimate), duration_text(stop.reserve), duration_text(stop.used),
       duration_text(std::ceil(stop.used + stop.estimate + stop.reserve)));
}

class PolicySearch {
 public:
  PolicySearch(const SearchOptions& options, const PreparedStudy& prepared)
      : options_(options),
        prepared_(prepared),
        plans_(prepared, options.runner.backend.threads, options.split, options.shares),
        least_(least_length()),
        folder_(options.runner.folder) {}

  SearchOutcome search() {
    folder_.begin(options_.runner, prepared_);
    record_.emplace(folder_.path(), settings_of(options_, prepared_, plans_, least_));
    check_binary();
    budget_.emplace(options_.budget, record_->used());
    trainer_.emplace(options_, prepared_, plans_, *record_, *budget_);
    describe();
    outcome_.interrupted = !rank() || !decide();
    outcome_.stop = record_->stop();
    outcome_.used = budget_->used();
    outcome_.done = std::ssize(record_->evaluations());
    if (!outcome_.interrupted) record_->conclude(search_conclusion(outcome_));
    return std::move(outcome_);
  }

 private:
  /// Whatever is wrong with a rung of it is said before anything is written.
  std::int64_t least_length() const {
    const std::int64_t full = plans_.full_length();
    const std::int64_t length =
        options_.least > 0 ? std::min(options_.least, full)
                           : std::max(plans_.least_length(), default_length(plans_.arms().size(), options_.eta, full));
    plans_.rung(plans_.arms(), length);
    return length;
  }

  void check_binary() const {
    if (options_.runner.accept_binary) return;
    for (const auto& [id, evaluation] : record_->evaluations()) {
      if (evaluation.binary == options_.runner.binary) continue;
      fail(ErrorKind::data,
           "{}: {} was made by another binary ({:.12}, this is {:.12}); add --accept-binary to mix them, or give "
           "another --output",
           (folder_.path() / "search.jsonl").string(), id, evaluation.binary, options_.runner.binary);
    }
  }

  void describe() {
    outcome_.study = prepared_.plan.study;
    outcome_.shares = options_.shares;
    outcome_.split = plans_.split().name;
    const std::vector<std::string>& names = prepared_.data.target.train->class_names();
    for (const std::int64_t c : plans_.split().target) outcome_.classes.push_back(names[static_cast<std::size_t>(c)]);
    outcome_.training = std::ssize(plans_.parts().training);
    outcome_.validation = std::ssize(plans_.parts().validation);
    outcome_.held_out = std::ssize(plans_.parts().held_out);
    outcome_.eta = options_.eta;
    outcome_.least = least_;
    outcome_.seed = plans_.seed();
    outcome_.not_searched = plans_.not_searched();
    outcome_.budget = options_.budget;
  }

  /// Rung after rung. False if it was interrupted.
  bool rank() {
    std::vector<SearchArm> left = plans_.arms();
    const std::int64_t full = plans_.full_length();
    for (int rung = 0;; ++rung) {
      const SearchPhase phase = plans_.rung(left, rung_length(least_, options_.eta, rung, full));
      trainer_->count(phase);
      if (!has_time(phase, left, rung)) return true;
      tell(fmt::format("rung {}, {} candidates", rung, left.size()), phase);
      if (!trainer_->train(phase, SearchStage::rung, rung)) return false;
      const bool last = outcome_.rungs.emplace_back(ranked(phase, rung)).length == full;
      left.clear();
      for (const RankedArm& candidate : outcome_.rungs.back().arms) {
        if (candidate.kept) left.push_back(candidate.arm);
      }
      if (last || left.size() <= 1) return true;
    }
  }

  /// What comes next, if anything of it is still to be trained.
  void tell(const std::string& what, const SearchPhase& phase) const {
    const std::optional<double> seconds = trainer_->seconds_left(phase);
    if (seconds == 0.0) return;
    log_info("graft: {}{}", what, seconds ? fmt::format(", about {}", duration_text(*seconds)) : "");
  }

  RankedRung ranked(const SearchPhase& phase, int rung) const {
    std::vector<RungScore> scores;
    for (const RunSpec& run : phase.runs) {
      const Evaluation& evaluation = *record_->find(run.id);
      scores.push_back({.name = arm_of(run).name(),
                        .correct = evaluation.correct,
                        .cost = trainer_->flops(run),
                        .failed = !evaluation.ok(),
                        .trained = evaluation.untrained().empty()});
    }
    const std::int64_t full = plans_.full_length();
    RankedRung result{.length = rung_length(least_, options_.eta, rung, full), .arms = {}};
    const std::size_t kept = result.length == full ? 1 : kept_of(scores.size(), options_.eta);
    for (const std::size_t i : ranking(scores)) {
      result.arms.push_back({.arm = arm_of(phase.runs[i]),
                             .evaluation = *record_->find(phase.runs[i].id),
                             .kept = !scores[i].failed && result.arms.size() < kept});
    }
    return result;
  }

  /// True iff the rung is to be trained. What time decided stands in the record and is not decided anew.
  bool has_time(const SearchPhase& phase, const std::vector<SearchArm>& left, int rung) {
    if (record_->stop()) return record_->stop()->rung != rung;
    if (!budget_->limit() || begun(phase, rung)) return true;
    if (rung == 0 && !trainer_->seconds_left(phase)) {
      SearchPhase timed = phase;
      timed.runs.resize(1);  // base
      if (!trainer_->train(timed, SearchStage::rung, rung)) return true;
    }
    const std::optional<double> estimate = trainer_->seconds_left(phase);
    const std::optional<double> reserve = time_to_decide(left);
    if (!estimate || !reserve || budget_->allows(*estimate + *reserve)) return true;
    const SearchStop stop{.rung = rung,
                          .candidates = std::ssize(phase.runs),
                          .length = rung_length(least_, options_.eta, rung, plans_.full_length()),
                          .estimate = *estimate,
                          .reserve = *reserve,
                          .used = budget_->used(),
                          .budget = *budget_->limit()};
    if (rung == 0) fail_for_time(stop);
    record_->add(stop);
    return false;
  }

  /// True iff it was decided to train the rung: the first network of all may be there for its time alone.
  bool begun(const SearchPhase& phase, int rung) const {
    const auto there = std::count_if(phase.runs.begin(), phase.runs.end(),
                                     [&](const RunSpec& run) { return record_->find(run.id) != nullptr; });
    return there > (rung == 0 ? 1 : 0);
  }

  /// Seconds of the decision, if the slowest arm that is left comes to it.
  std::optional<double> time_to_decide(const std::vector<SearchArm>& left) {
    std::vector<SearchArm> arms = left;
    if (std::find(arms.begin(), arms.end(), SearchArm{}) == arms.end()) arms.emplace_back();
    const SearchPhase all = plans_.decision(arms);
    trainer_->count(all);
    std::optional<double> longest = 0.0;
    for (const SearchArm& arm : left) {
      SearchPhase phase = all;
      std::erase_if(phase.runs, [&](const RunSpec& run) { return run.cut > 0 && arm_of(run) != arm; });
      const auto seconds = trainer_->seconds_left(phase);
      if (!seconds) return std::nullopt;
      longest = std::max(*longest, *seconds);
    }
    return longest;
  }

  /// The best arm that carries layers over against base, on what is held out. False if it was interrupted.
  bool decide() {
    const SearchArm* challenger = best_that_carries();
    if (challenger == nullptr) {
      const std::string why = outcome_.rungs.front().arms.back().evaluation.error;
      fail(ErrorKind::failure, "no candidate that carries layers over could be trained ({}), see {}", why,
           (folder_.path() / "search.jsonl").string());
    }
    outcome_.challenger = *challenger;
    const SearchPhase phase = plans_.decision({SearchArm{}, outcome_.challenger});
    trainer_->count(phase);
    tell(fmt::format("{} and base on what is held out", outcome_.challenger.name()), phase);
    if (!trainer_->train(phase, SearchStage::decision, 0)) return false;
    std::vector<Observation> observations;
    for (const RunSpec& run : phase.runs) {
      const Evaluation& e = outcome_.decided.emplace_back(*record_->find(run.id));
      if (!e.ok()) continue;
      observations.push_back({.treatment = e.treatment,
                              .cut = e.cut,
                              .split = e.split,
                              .target = run.target,
                              .seed = e.seed,
                              .top1 = e.top1(),
                              .source = run.source,
                              .n_test = e.n,
                              .trained = e.untrained().empty()});
    }
    outcome_.contrasts = contrasts_of(observations, {.rule = rule_of(outcome_.study)});
    return true;
  }

  const SearchArm* best_that_carries() const {
    for (auto rung = outcome_.rungs.rbegin(); rung != outcome_.rungs.rend(); ++rung) {
      for (const RankedArm& candidate : rung->arms) {
        if (candidate.arm.carries() && candidate.evaluation.ok()) return &candidate.arm;
      }
    }
    return nullptr;
  }

  const SearchOptions& options_;
  const PreparedStudy& prepared_;
  const SearchPlans plans_;
  const std::int64_t least_;
  const SearchFolder folder_;
  std::optional<SearchRecord> record_;
  std::optional<SearchBudget> budget_;
  std::optional<SearchTrainer> trainer_;
  SearchOutcome outcome_;
};

}  // namespace

SearchOutcome search_policies(const SearchOptions& options, const PreparedStudy& prepared) {
  return PolicySearch(options, prepared).search();
}

}  // namespace graft
