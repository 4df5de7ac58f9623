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

std::map<PairKey, double> arm_by_key(std::span<const Observation> observations, const std::string& treatment, int cut) {
  std::map<PairKey, double> arm;
  for (const Observation& o : observations) {
    if (o.treatment == treatment && o.cut == cut) arm[{o.split, o.target, o.seed}] = o.top1;
  }
  return arm;
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

PairedDifference paired_difference(std::span<const Observation> observations, const std::string& treatment, int cut,
                                   PairUnit unit, const std::string& reference, int reference_cut) {
  const auto arm = arm_by_key(observations, treatment, cut);
  const auto partners = arm_by_key(observations, reference, reference_cut);
  PairedDifference result;
  std::map<std::string, std::vector<double>> by_unit;
  for (const auto& [key, top1] : arm) {
    const auto partner = partners.find(key);
    if (partner == partners.end()) continue;
    by_unit[unit_key(key, unit)].push_back(top1 - partner->second);
    ++result.pairs;
  }
  std::vector<double> units;
  for (const auto& [key, differences] : by_unit) units.push_back(mean_of(differences));
  result.difference = estimate_mean(units);
  return result;
}

std::string text_of(const IntervalEstimate& estimate) {
  if (!estimate.half_width) return "not enough pairs";
  std::string text = fmt::format("{:+.4f} +/- {:.4f}", estimate.mean, *estimate.half_width);
  return text;
}

ArmMean arm_mean(std::span<const Observation> observations, const std::string& treatment, int cut) {
  ArmMean arm;
  for (const Observation& o : observations) {
    if (o.treatment != treatment || o.cut != cut) continue;
    arm.lowest = arm.runs == 0 ? o.top1 : std::min(arm.lowest, o.top1);
    arm.highest = arm.runs == 0 ? o.top1 : std::max(arm.highest, o.top1);
    arm.mean += o.top1;
    ++arm.runs;
  }
  if (arm.runs > 0) arm.mean /= static_cast<double>(arm.runs);
  return arm;
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
