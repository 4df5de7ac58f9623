#include "transfer/search_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/error.h"

namespace graft {
namespace {

std::vector<std::string> names_of(const std::vector<std::int64_t>& classes, const std::vector<std::string>& names) {
  std::vector<std::string> chosen;
  chosen.reserve(classes.size());
  for (const std::int64_t c : classes) chosen.push_back(names[static_cast<std::size_t>(c)]);
  return chosen;
}

const Split& chosen_split(const std::vector<Split>& splits, const std::string& name) {
  if (name.empty() && splits.size() == 1) return splits.front();
  std::vector<std::string> names;
  for (const Split& split : splits) {
    if (split.name == name) return split;
    names.push_back(split.name);
  }
  if (name.empty()) {
    fail(ErrorKind::usage, "a search is for one target, the study has {} splits: name one with --split, of {}",
         splits.size(), fmt::join(names, ", "));
  }
  fail(ErrorKind::usage, "--split {}: the study has no such split, but {}", name, fmt::join(names, ", "));
}

/// The study for one split and its target half alone.
Study study_of_split(const Study& whole, const Split& split, const std::vector<std::string>& names) {
  Study study = whole;
  study.both_directions = false;
  // Then ids of the source's networks do not depend on how the target's images are divided.
  if (study.source_dataset.empty() && study.source_checkpoint.empty()) study.source_dataset = study.dataset;
  if (study.random_splits == 0 && study.named_splits.empty()) return study;
  study.random_splits = 0;
  study.group_use = GroupUse::none;
  study.named_splits = {
      {.name = split.name, .source = names_of(split.source, names), .target = names_of(split.target, names)}};
  return study;
}

std::uint64_t unused_seed(const std::vector<std::uint64_t>& seeds) {
  std::uint64_t seed = 0;
  while (std::find(seeds.begin(), seeds.end(), seed) != seeds.end()) ++seed;
  return seed;
}

bool carries_from_source(const RunSpec& run) {
  return run.target == "B" && run.source == "A" && copies_layers(run.treatment);
}

/// count * length / full, rounded down.
std::int64_t share_of(std::int64_t count, std::int64_t length, std::int64_t full) { return count * length / full; }

}  // namespace

std::string SearchArm::name() const {
  return carries() ? fmt::format("{} at cut {}", label_of(method), cut) : label_of(method);
}

SearchArm arm_of(const RunSpec& run) { return {method_of(run), run.cut}; }

SearchPlans::SearchPlans(const PreparedStudy& prepared, int threads, const std::string& split,
                         const SearchShares& shares)
    : split_(chosen_split(prepared.plan.splits, split)), stages_(static_cast<int>(prepared.stages.size())) {
  const Study& whole = prepared.plan.study;
  study_ = study_of_split(whole, split_, prepared.data.target.train->class_names());
  seed_ = unused_seed(whole.seeds);
  for (const Method& method : methods_of(whole)) {
    const auto carries = [&](const RunSpec& run) { return method_of(run) == method && carries_from_source(run); };
    const bool searched = std::any_of(prepared.plan.runs.begin(), prepared.plan.runs.end(), carries);
    if (!searched && method.treatment != Treatment::base) not_searched_.push_back(label_of(method));
  }
  arms_.push_back({});
  for (const RunSpec& run : prepared.plan.runs) {
    if (!carries_from_source(run)) continue;
    const SearchArm arm = arm_of(run);
    if (std::find(arms_.begin(), arms_.end(), arm) == arms_.end()) arms_.push_back(arm);
  }
  if (arms_.size() == 1) {
    fail(ErrorKind::data,
         "{}: no treatment carries layers over from the source: add AnB or AnB+ to `treatments` to search among them",
         whole.name);
  }
  parts_ = divide_target(*prepared.data.target.train, split_.target, train_per_class(whole, "B"),
                         image_seed(study_, split_), shares);
  const auto hashed = [](const StudyData& data) { return Part{.data = data, .target_hash = hash_of(data.target)}; };
  ranking_ = hashed(ranking_data(prepared.data, parts_));
  decision_ = hashed(decision_data(prepared.data, parts_));
  source_ = hashed(prepared.data);
  source_.data.source = ranking_.data.source;
  context_ = {.device_kind = prepared.device_kind,
              .threads = threads,
              .source_data_hash = study_.source_dataset.empty() ? "" : hash_of(source_.data.source),
              .weights_hash = prepared.weights_hash};
  std::vector<std::uint64_t> seeds = whole.seeds;
  seeds.push_back(seed_);
  for (const RunSpec& run : source(seeds).runs) context_.source_bases[run.seed] = run.id;
}

std::int64_t SearchPlans::full_length() const {
  return study_.training.iterations > 0 ? study_.training.iterations : study_.training.epochs;
}

std::int64_t SearchPlans::least_length() const {
  std::int64_t least = 1;
  for (const SearchArm& arm : arms_) {
    // A policy's epochs shrink to one at least.
    if (arm.method.fine_tuning == FineTuning::lp_ft) least = std::max<std::int64_t>(least, 2);
    if (arm.method.fine_tuning == FineTuning::gradual) least = std::max<std::int64_t>(least, arm.cut + 1);
  }
  return least;
}

SearchPhase SearchPlans::source(const std::vector<std::uint64_t>& seeds) const {
  SearchPhase phase{.study = study_, .data = source_.data, .runs = {}};
  phase.study.seeds = seeds;
  RunContext context = context_;
  context.source_bases.clear();
  context.data_hash = source_.target_hash;
  for (RunSpec& run : make_plan(phase.study, source_.data, stages_, context).runs) {
    if (run.treatment == Treatment::base && run.target == "A") phase.runs.push_back(std::move(run));
  }
  return phase;
}

Study SearchPlans::shortened(std::int64_t length) const {
  if (length < least_length()) {
    fail(ErrorKind::usage,
         "--min-epochs {}: the fine-tuning policies of the study (lp-ft, gradual) thaw carried stages later than that: "
         "give at least {}",
         length, least_length());
  }
  Study study = study_;
  TrainingSettings& training = study.training;
  const std::int64_t full = full_length();
  training.warmup_steps = share_of(training.warmup_steps, length, full);
  FineTuningSettings& policies = study.fine_tuning_settings;
  policies.lp_ft_epochs = std::max<std::int64_t>(1, share_of(policies.lp_ft_epochs, length, full));
  policies.gradual_epochs = std::max<std::int64_t>(1, share_of(policies.gradual_epochs, length, full));
  if (training.iterations > 0) {
    training.iterations = length;
    for (std::int64_t& milestone : training.milestones) milestone = share_of(milestone, length, full);
    return study;
  }
  training.epochs = length;
  if (training.schedule != "step") return study;
  // A milestone may fall within an epoch now: all is counted in steps.
  const auto images = std::ssize(parts_.training);
  const std::int64_t steps = images / training.batch_size;
  training.iterations = std::max<std::int64_t>(1, length * steps);
  for (std::int64_t& milestone : training.milestones) milestone = share_of(milestone * steps, length, full);
  return study;
}

SearchPhase SearchPlans::rung(const std::vector<SearchArm>& arms, std::int64_t length) const {
  Study study = length == full_length() ? study_ : shortened(length);
  study.seeds = {seed_};
  return phase_of(std::move(study), ranking_, arms);
}

SearchPhase SearchPlans::decision(const std::vector<SearchArm>& arms) const {
  return phase_of(study_, decision_, arms);
}

SearchPhase SearchPlans::phase_of(Study study, const Part& part, const std::vector<SearchArm>& arms) const {
  study.source_train_per_class = train_per_class(study_, "A");
  study.train_per_class = 0;  // the parts are what there is
  study.test_per_class = 0;
  if (std::find(study.treatments.begin(), study.treatments.end(), Treatment::base) == study.treatments.end()) {
    study.treatments.insert(study.treatments.begin(), Treatment::base);
  }
  RunContext context = context_;
  context.data_hash = part.target_hash;
  SearchPhase phase{.study = study, .data = part.data, .runs = {}};
  for (RunSpec& run : make_plan(study, part.data, stages_, context).runs) {
    const bool wanted = run.treatment == Treatment::base || carries_from_source(run);
    if (run.target != "B" || !wanted) continue;
    if (std::find(arms.begin(), arms.end(), arm_of(run)) != arms.end()) phase.runs.push_back(std::move(run));
  }
  return phase;
}

}  // namespace graft
