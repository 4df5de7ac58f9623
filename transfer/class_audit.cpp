#include "transfer/class_audit.h"

#include <algorithm>
#include <map>

#include "engine/base/error.h"

namespace graft {
namespace {

/// For every class the networks that were tested on it, each with its accuracy there.
std::map<std::string, std::vector<Observation>> observations_by_class(const ReportData& data,
                                                                      const Manifest& manifest) {
  std::map<std::string, std::vector<Observation>> by_class;
  for (const RunResult& run : data.finished) {
    if (run.by_class.empty() || data.is_untrained(run)) continue;
    const std::vector<std::string>& names = target_classes(run, manifest);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto& [right, tested] = run.by_class[i];
      if (tested == 0) continue;
      Observation seen{label_of(run), run.cut, run.split, run.target, run.seed};
      seen.top1 = static_cast<double>(right) / static_cast<double>(tested);
      by_class[names[i]].push_back(std::move(seen));
    }
  }
  return by_class;
}

double mean_of(const std::vector<UnitDifference>& units, const Observation Pair::*side) {
  double sum = 0.0;
  for (const UnitDifference& unit : units) {
    double of_unit = 0.0;
    for (const Pair& pair : unit.pairs) of_unit += (pair.*side).top1;
    sum += of_unit / static_cast<double>(unit.pairs.size());
  }
  return sum / static_cast<double>(units.size());
}

std::array<double, 2> range_of(const std::vector<ClassEffect>& classes, double ClassEffect::*accuracy) {
  if (classes.empty()) return {0.0, 0.0};
  const auto [lowest, highest] = std::minmax_element(
      classes.begin(), classes.end(), [&](const auto& a, const auto& b) { return a.*accuracy < b.*accuracy; });
  return {(*lowest).*accuracy, (*highest).*accuracy};
}

}  // namespace

const std::vector<std::string>& target_classes(const RunResult& run, const Manifest& manifest) {
  const auto split = std::find_if(manifest.splits.begin(), manifest.splits.end(),
                                  [&](const ManifestSplit& s) { return s.name == run.split; });
  if (split == manifest.splits.end()) {
    fail(ErrorKind::data, "manifest.json: has no split '{}', which run {} was made on", run.split, run.id);
  }
  const std::vector<std::string>& names = run.target == "A" ? split->source : split->target;
  if (names.size() == run.by_class.size()) return names;
  fail(ErrorKind::data, "manifest.json: split '{}' has {} classes in half {}, run {} counts {}", run.split,
       names.size(), run.target, run.id, run.by_class.size());
}

std::array<double, 2> ArmAudit::base_range() const { return range_of(classes, &ClassEffect::base); }
std::array<double, 2> ArmAudit::treated_range() const { return range_of(classes, &ClassEffect::treated); }

bool ArmAudit::hides_a_loss() const {
  const IntervalEstimate& mean = row.trained_difference.difference;
  const bool mean_loses = mean.half_width && mean.mean + *mean.half_width < 0.0;
  return !mean_loses && std::any_of(classes.begin(), classes.end(), [](const ClassEffect& c) { return c.loses(); });
}

std::vector<ArmAudit> audit_classes(const ReportData& data, const Manifest& manifest) {
  const auto by_class = observations_by_class(data, manifest);
  std::vector<ArmAudit> audits;
  for (const ArmRow& row : data.rows) {
    if (row.arm.treatment == "base") continue;
    ArmAudit audit{.row = row, .classes = {}};
    if (!by_class.empty()) audit.level = 1.0 - 0.05 / static_cast<double>(by_class.size());
    for (const auto& [name, observations] : by_class) {
      const auto units = unit_differences(observations, row.arm, data.unit);
      if (units.empty()) continue;
      audit.classes.push_back({name, mean_of(units, &Pair::reference), mean_of(units, &Pair::treated),
                               estimate_mean(means_of(units), audit.level)});
    }
    std::stable_sort(audit.classes.begin(), audit.classes.end(),
                     [](const ClassEffect& a, const ClassEffect& b) { return a.difference.mean < b.difference.mean; });
    audits.push_back(std::move(audit));
  }
  return audits;
}

}  // namespace graft
