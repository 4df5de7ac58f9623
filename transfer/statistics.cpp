#include "transfer/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "transfer/distributions.h"

namespace graft {
namespace {

using PairKey = std::tuple<std::string, std::string, std::uint64_t>;  ///< split, target half, seed

std::map<PairKey, const Observation*> by_key(std::span<const Observation> observations, const Arm& arm) {
  std::map<PairKey, const Observation*> found;
  for (const Observation& o : observations) {
    if (belongs(o, arm)) found[{o.split, o.target, o.seed}] = &o;
  }
  return found;
}

std::string unit_key(const PairKey& key, PairUnit unit) {
  const auto& [split, target, seed] = key;
  return unit == PairUnit::seed ? std::to_string(seed) : split + "/" + target;
}

double mean_of(std::span<const double> values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

using PairsByUnit = std::map<std::string, std::vector<Pair>>;

void add_pairs(PairsByUnit& units, std::span<const Observation> observations, const Arm& arm, const Arm& reference,
               PairUnit unit) {
  const auto partners = by_key(observations, reference);
  for (const auto& [key, treated] : by_key(observations, arm)) {
    const auto partner = partners.find(key);
    if (partner != partners.end()) units[unit_key(key, unit)].push_back({*treated, *partner->second});
  }
}

std::vector<UnitDifference> averaged(PairsByUnit units) {
  std::vector<UnitDifference> result;
  for (auto& [name, pairs] : units) {
    double sum = 0.0;
    for (const Pair& pair : pairs) sum += pair.difference();
    const double mean = sum / static_cast<double>(pairs.size());
    result.push_back({name, std::move(pairs), mean});
  }
  return result;
}

PairedDifference summary_of(std::span<const UnitDifference> units) {
  PairedDifference result;
  for (const UnitDifference& unit : units) result.pairs += static_cast<std::int64_t>(unit.pairs.size());
  result.difference = estimate_mean(means_of(units));
  return result;
}

}  // namespace

const char* name_of(PairUnit unit) { return unit == PairUnit::seed ? "seed" : "target half of a split"; }

PairUnit unit_of(std::span<const Observation> observations) {
  std::set<std::string> splits;
  for (const Observation& o : observations) splits.insert(o.split);
  return splits.size() < 2 ? PairUnit::seed : PairUnit::split_and_target;
}

double t_quantile(double level, std::int64_t degrees_of_freedom) {
  return student_t_quantile_above((1.0 - level) / 2.0, static_cast<double>(degrees_of_freedom));
}

IntervalEstimate estimate_mean(std::span<const double> units, double level) {
  IntervalEstimate estimate{.units = static_cast<std::int64_t>(units.size()), .mean = 0.0, .half_width = {}};
  if (units.empty()) return estimate;
  estimate.mean = mean_of(units);
  if (units.size() < 2) return estimate;
  double squares = 0.0;
  for (const double value : units) squares += (value - estimate.mean) * (value - estimate.mean);
  const double n = static_cast<double>(units.size());
  const double standard_error = std::sqrt(squares / (n - 1.0) / n);
  estimate.half_width = t_quantile(level, estimate.units - 1) * standard_error;
  return estimate;
}

bool belongs(const Observation& observation, const Arm& arm) {
  return observation.treatment == arm.treatment && observation.cut == arm.cut;
}

std::vector<UnitDifference> unit_differences(std::span<const Observation> observations, const Arm& arm, PairUnit unit,
                                             const Arm& reference) {
  PairsByUnit units;
  add_pairs(units, observations, arm, reference, unit);
  return averaged(std::move(units));
}

std::vector<double> means_of(std::span<const UnitDifference> units) {
  std::vector<double> means;
  for (const UnitDifference& unit : units) means.push_back(unit.mean);
  return means;
}

PairedDifference paired_difference(std::span<const Observation> observations, const Arm& arm, PairUnit unit,
                                   const Arm& reference) {
  return summary_of(unit_differences(observations, arm, unit, reference));
}

PairedDifference difference_over_cuts(std::span<const Observation> observations, const std::string& treatment,
                                      std::span<const int> cuts, PairUnit unit) {
  PairsByUnit units;
  for (const int cut : cuts) add_pairs(units, observations, {treatment, cut}, {"base", 0}, unit);
  return summary_of(averaged(std::move(units)));
}

std::string text_of(const IntervalEstimate& estimate) {
  if (!estimate.half_width) return "not enough pairs";
  return fmt::format("{:+.4f} +/- {:.4f}", estimate.mean, *estimate.half_width);
}

ArmMean arm_mean(std::span<const Observation> observations, const Arm& arm) {
  ArmMean result;
  for (const Observation& o : observations) {
    if (!belongs(o, arm)) continue;
    result.lowest = result.runs == 0 ? o.top1 : std::min(result.lowest, o.top1);
    result.highest = result.runs == 0 ? o.top1 : std::max(result.highest, o.top1);
    result.mean += o.top1;
    ++result.runs;
  }
  if (result.runs > 0) result.mean /= static_cast<double>(result.runs);
  return result;
}

std::string is_chance(double top1, std::int64_t n, std::int64_t classes) {
  if (n == 0) return "";
  const double chance = 1.0 / static_cast<double>(classes);
  const double limit = chance + 3.0 * std::sqrt(chance * (1.0 - chance) / static_cast<double>(n));
  if (top1 <= limit) return fmt::format("its test accuracy {:.4f} is chance (at most {:.4f})", top1, limit);
  return "";
}

std::string did_not_train(double train_loss, double top1, std::int64_t n_test, std::int64_t classes) {
  const double guessing = std::log(static_cast<double>(classes));
  if (!std::isfinite(train_loss)) return "its training loss is no number";
  if (train_loss > guessing - 0.05) {
    return fmt::format("its training loss {:.3f} is what guessing costs (ln {} = {:.3f})", train_loss, classes,
                       guessing);
  }
  return is_chance(top1, n_test, classes);
}

}  // namespace graft
