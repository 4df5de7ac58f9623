#include "transfer/audit.h"

#include <algorithm>
#include <map>
#include <optional>

#include "engine/base/error.h"

namespace graft {
namespace {

/// Networks with a number each in place of top-1.
struct Observed {
  std::map<std::string, std::vector<Observation>> by_part;
  std::map<std::string, std::int64_t> most_images;  ///< of each part in a network, trained or not
  std::vector<Observation> worst;
  std::vector<Observation> gap;
};

Observation observation(const RunResult& run, double value) {
  return {label_of(run), run.cut, run.split, run.target, run.seed, value};
}

void observe(const RunResult& run, const std::vector<std::string>& names, AuditBy by, Observed& into) {
  std::vector<double> accuracies;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& [right, tested] = counts_of(run, by)[i];
    if (tested < kFewestImages) continue;
    accuracies.push_back(static_cast<double>(right) / static_cast<double>(tested));
    into.by_part[names[i]].push_back(observation(run, accuracies.back()));
  }
  if (accuracies.size() < 2) return;
  const auto [lowest, highest] = std::minmax_element(accuracies.begin(), accuracies.end());
  into.worst.push_back(observation(run, *lowest));
  into.gap.push_back(observation(run, *highest - *lowest));
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

std::optional<Change> change_of(const std::vector<Observation>& observations, const Arm& arm, PairUnit unit,
                                double level) {
  const auto units = unit_differences(observations, arm, unit);
  if (units.empty()) return std::nullopt;
  return Change{mean_of(units, &Pair::reference), mean_of(units, &Pair::treated),
                estimate_mean(means_of(units), level)};
}

bool carries_over(const ReportData& data, const Arm& arm) {
  return std::any_of(data.finished.begin(), data.finished.end(), [&](const RunResult& run) {
    return run.source != run.target && arm == Arm{label_of(run), run.cut};
  });
}

ArmAudit audit_arm(const ArmRow& row, const Observed& observed, const ReportData& data, const Audit& levels) {
  ArmAudit audit{.row = row, .carries_over = carries_over(data, row.arm), .parts = {}, .worst = {}, .gap = {}};
  const auto change = [&](const std::vector<Observation>& observations, double level) {
    return change_of(observations, row.arm, data.unit, level);
  };
  for (const auto& [name, observations] : observed.by_part) {
    if (const auto found = change(observations, levels.level)) audit.parts.push_back({name, *found});
  }
  std::stable_sort(audit.parts.begin(), audit.parts.end(), [](const PartEffect& a, const PartEffect& b) {
    return a.accuracy.difference.mean < b.accuracy.difference.mean;
  });
  audit.worst = change(observed.worst, levels.extremes_level).value_or(Change{});
  audit.gap = change(observed.gap, levels.extremes_level).value_or(Change{});
  return audit;
}

const std::vector<std::string>& classes_of(const RunResult& run, const Manifest& manifest) {
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

}  // namespace

const char* part_word(AuditBy by) { return by == AuditBy::classes ? "class" : "subgroup"; }
const char* parts_word(AuditBy by) { return by == AuditBy::classes ? "classes" : "subgroups"; }

const std::vector<std::array<std::int64_t, 2>>& counts_of(const RunResult& run, AuditBy by) {
  return by == AuditBy::classes ? run.by_class : run.by_subgroup;
}

const std::vector<std::string>& part_names(const RunResult& run, const Manifest& manifest, AuditBy by) {
  if (by == AuditBy::classes) return classes_of(run, manifest);
  static const std::vector<std::string> kNone;
  const std::vector<std::string>& names = manifest.subgroups ? manifest.subgroups->names : kNone;
  if (names.size() == run.by_subgroup.size()) return names;
  fail(ErrorKind::data, "manifest.json: has {} subgroups, run {} counts {}", names.size(), run.id,
       run.by_subgroup.size());
}

std::string ArmAudit::worst_part() const {
  const auto lowest = std::min_element(parts.begin(), parts.end(), [](const PartEffect& a, const PartEffect& b) {
    return a.accuracy.treated < b.accuracy.treated;
  });
  return lowest == parts.end() ? "" : lowest->name;
}

bool ArmAudit::hides_a_loss() const {
  const IntervalEstimate& mean = row.trained_difference.difference;
  const bool mean_loses = mean.half_width && mean.mean + *mean.half_width < 0.0;
  return !mean_loses && std::any_of(parts.begin(), parts.end(), [](const PartEffect& p) { return p.accuracy.falls(); });
}

Audit audit_by(AuditBy by, const ReportData& data, const Manifest& manifest) {
  Observed observed;
  for (const RunResult& run : data.finished) {
    if (counts_of(run, by).empty()) continue;
    const std::vector<std::string>& names = part_names(run, manifest, by);
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::int64_t& most = observed.most_images[names[i]];
      most = std::max(most, counts_of(run, by)[i][1]);
    }
    if (!data.is_untrained(run)) observe(run, names, by, observed);
  }
  Audit audit{.by = by, .parts = {}, .thin = {}, .arms = {}};
  for (const auto& [name, observations] : observed.by_part) audit.parts.push_back(name);
  for (const auto& [name, images] : observed.most_images) {
    if (images > 0 && images < kFewestImages) audit.thin.push_back({name, images});
  }
  if (!audit.parts.empty()) audit.level = 1.0 - 0.05 / static_cast<double>(audit.parts.size());
  audit.extremes_level = 1.0 - 0.05 / static_cast<double>(std::max<std::size_t>(data.cuts.size(), 1));
  for (const ArmRow& row : data.rows) {
    if (row.arm.treatment != "base") audit.arms.push_back(audit_arm(row, observed, data, audit));
  }
  return audit;
}

}  // namespace graft
