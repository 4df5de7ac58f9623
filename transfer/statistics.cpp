#include "transfer/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

namespace graft {
namespace {

using PairKey = std::tuple<std::string, std::string, std::uint64_t>;  ///< split, target half, seed

bool belongs(const Observation& o, const Arm& arm) { return o.treatment == arm.treatment && o.cut == arm.cut; }

std::map<PairKey, double> top1_by_key(std::span<const Observation> observations, const Arm& arm) {
  std::map<PairKey, double> top1;
  for (const Observation& o : observations) {
    if (belongs(o, arm)) top1[{o.split, o.target, o.seed}] = o.top1;
  }
  return top1;
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

/// Differences of pairs, gathered by independent unit.
struct UnitDifferences {
  std::map<std::string, std::vector<double>> by_unit;

  PairedDifference summary() const {
    PairedDifference result;
    std::vector<double> means;
    for (const auto& [unit, differences] : by_unit) {
      means.push_back(mean_of(differences));
      result.pairs += static_cast<std::int64_t>(differences.size());
    }
    result.difference = estimate_mean(means);
    return result;
  }
};

void add_pairs(UnitDifferences& units, std::span<const Observation> observations, const Arm& arm, const Arm& reference,
               PairUnit unit) {
  const auto partners = top1_by_key(observations, reference);
  for (const auto& [key, top1] : top1_by_key(observations, arm)) {
    const auto partner = partners.find(key);
    if (partner != partners.end()) units.by_unit[unit_key(key, unit)].push_back(top1 - partner->second);
  }
}

}  // namespace

const char* name_of(PairUnit unit) { return unit == PairUnit::seed ? "seed" : "target half of a split"; }

PairUnit unit_of(std::span<const Observation> observations) {
  std::set<std::string> splits;
  for (const Observation& o : observations) splits.insert(o.split);
  return splits.size() < 2 ? PairUnit::seed : PairUnit::split_and_target;
}

double t_quantile(double level, std::int64_t degrees_of_freedom) {
  const boost::math::students_t distribution(static_cast<double>(degrees_of_freedom));
  return boost::math::quantile(boost::math::complement(distribution, (1.0 - level) / 2.0));
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

PairedDifference paired_difference(std::span<const Observation> observations, const Arm& arm, PairUnit unit,
                                   const Arm& reference) {
  UnitDifferences units;
  add_pairs(units, observations, arm, reference, unit);
  return units.summary();
}

PairedDifference difference_over_cuts(std::span<const Observation> observations, const std::string& treatment,
                                      std::span<const int> cuts, PairUnit unit) {
  UnitDifferences units;
  for (const int cut : cuts) add_pairs(units, observations, {treatment, cut}, {"base", 0}, unit);
  return units.summary();
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

std::string did_not_train(double train_loss, double top1, std::int64_t n_test, std::int64_t classes) {
  const double guessing = std::log(static_cast<double>(classes));
  if (!std::isfinite(train_loss)) return "its training loss is no number";
  if (train_loss > guessing - 0.05) {
    return fmt::format("its training loss {:.3f} is what guessing costs (ln {} = {:.3f})", train_loss, classes,
                       guessing);
  }
  const double chance = 1.0 / static_cast<double>(classes);
  const double limit = chance + 3.0 * std::sqrt(chance * (1.0 - chance) / static_cast<double>(n_test));
  if (top1 <= limit) return fmt::format("its test accuracy {:.4f} is chance (at most {:.4f})", top1, limit);
  return "";
}

}  // namespace graft
