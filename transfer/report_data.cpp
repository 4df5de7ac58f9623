#include "transfer/report_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "transfer/split_group.h"
#include "transfer/splits.h"

namespace graft {
namespace {

Observation observe(const RunResult& run) {
  return {label_of(run), run.cut, run.split, run.target, run.seed, run.top1};
}

bool on_target(const Study& study, const RunResult& run) { return study.both_directions || run.target == "B"; }

void sort_run(ReportData& data, const RunResult& run) {
  if (run.status != "ok") {
    data.failed.push_back(run);
    return;
  }
  const std::string reason = did_not_train(run.train_loss, run.top1, run.n_test, run.classes);
  if (!reason.empty()) data.untrained.push_back({run, reason});
  if (!on_target(data.study, run)) {
    data.source_bases.push_back(run);
    return;
  }
  data.finished.push_back(run);
  data.observations.push_back(observe(run));
}

/// The order of a reader, whatever order the workers finished in.
void sort_runs(std::vector<RunResult>& runs) {
  const auto key = [](const RunResult& r) { return std::tie(r.treatment, r.cut, r.split, r.target, r.seed, r.id); };
  std::sort(runs.begin(), runs.end(), [&](const RunResult& a, const RunResult& b) { return key(a) < key(b); });
}

std::vector<Observation> trained_observations(const ReportData& data) {
  std::vector<Observation> trained;
  for (const RunResult& run : data.finished) {
    if (!data.is_untrained(run)) trained.push_back(observe(run));
  }
  return trained;
}

std::int64_t expected_runs_of_an_arm(const ReportData& data) {
  return static_cast<std::int64_t>(data.splits.size() * data.study.seeds.size()) * (data.study.both_directions ? 2 : 1);
}

ArmRow make_row(const ReportData& data, const std::vector<Observation>& trained, const Arm& arm) {
  ArmRow row{.arm = arm,
             .expected = expected_runs_of_an_arm(data),
             .mean = arm_mean(data.observations, arm),
             .difference = {},
             .trained_mean = arm_mean(trained, arm),
             .trained_difference = {}};
  const auto belongs = [&](const RunResult& run) { return label_of(run) == arm.treatment && run.cut == arm.cut; };
  row.failed = std::count_if(data.failed.begin(), data.failed.end(),
                             [&](const RunResult& run) { return belongs(run) && on_target(data.study, run); });
  row.untrained = row.mean.runs - row.trained_mean.runs;
  if (arm.treatment != "base") {
    row.difference = paired_difference(data.observations, arm, data.unit);
    row.trained_difference = paired_difference(trained, arm, data.unit);
  }
  return row;
}

}  // namespace

const ArmRow* ReportData::find_row(const Arm& arm) const {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const ArmRow& row) {
    return row.arm.treatment == arm.treatment && row.arm.cut == arm.cut;
  });
  return found == rows.end() ? nullptr : &*found;
}

bool ReportData::is_untrained(const RunResult& run) const {
  return std::any_of(untrained.begin(), untrained.end(), [&](const UntrainedRun& u) { return u.run.id == run.id; });
}

std::int64_t ReportData::expected_runs() const {
  return expected_runs_of_an_arm(*this) * static_cast<std::int64_t>(rows.size());
}

ReportData make_report_data(const Study& study, const std::vector<RunResult>& results,
                            const std::vector<std::string>& splits) {
  ReportData data{.study = study,
                  .splits = splits.empty() ? split_names(study) : splits,
                  .reference = {},
                  .unit = PairUnit::seed,
                  .finished = {},
                  .source_bases = {},
                  .failed = {},
                  .untrained = {},
                  .observations = {},
                  .rows = {},
                  .cuts = study.cuts};
  if (data.splits.size() >= 2) data.unit = PairUnit::split_and_target;
  std::sort(data.cuts.begin(), data.cuts.end());
  std::vector<RunResult> runs = last_of_each(results);
  sort_runs(runs);
  for (const RunResult& run : runs) {
    if (std::find(data.splits.begin(), data.splits.end(), run.split) != data.splits.end()) sort_run(data, run);
  }

  const auto trained = trained_observations(data);
  const std::vector<Method> methods = methods_of(study);
  for (const Method& method : methods) {
    if (!has_cuts(method.treatment)) data.rows.push_back(make_row(data, trained, {label_of(method), 0}));
  }
  for (const Method& method : methods) {
    if (!has_cuts(method.treatment)) continue;
    for (const int cut : data.cuts) data.rows.push_back(make_row(data, trained, {label_of(method), cut}));
  }
  return data;
}

std::vector<ReportData> make_report_parts(const Study& study, const std::vector<RunResult>& results) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (const std::string& split : split_names(study)) {
    const std::string stem = split_stem(split);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == stem; });
    if (group == groups.end()) group = groups.insert(group, {stem, {}});
    group->second.push_back(split);
  }
  std::vector<ReportData> parts;
  for (const auto& [stem, splits] : groups) {
    parts.push_back(make_report_data(study, results, splits));
    if (groups.size() > 1) parts.back().group = splits.size() > 1 ? stem : splits.front();
  }
  return parts;
}

std::string untrained_rule() {
  return "A network counts as one that did not train if its training loss in the last epoch is within 0.05 nats of ln "
         "C, "
         "which is what guessing evenly among C classes costs, or if its test accuracy is at most three standard "
         "errors "
         "above chance, 1/C. Nothing is left out for it: the main figures are over all finished networks, and where "
         "some did not train the figures without them stand beside.";
}

std::string interval_rule(const ReportData& data) {
  const std::string common =
      "Each network is paired with the base network of the same split, target half and seed; the interval is Student's "
      "t, 95%, each for itself, ";
  if (data.unit == PairUnit::seed) {
    return common +
           "over seeds (n = seeds; both target halves, where there are two, are averaged first). With one split it "
           "speaks for this split only: what other classes would give it cannot tell.";
  }
  return common + "over target halves of splits (n = halves), the seeds of a half averaged first.";
}

}  // namespace graft
