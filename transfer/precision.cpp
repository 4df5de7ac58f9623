#include "transfer/precision.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "transfer/hypothesis_tests.h"

namespace graft {
namespace {

using PairsByHalf = std::map<std::pair<std::string, std::string>, std::vector<const Pair*>>;

PairsByHalf by_half(std::span<const UnitDifference> units) {
  PairsByHalf halves;
  for (const UnitDifference& unit : units) {
    for (const Pair& pair : unit.pairs) halves[{pair.treated.split, pair.treated.target}].push_back(&pair);
  }
  return halves;
}

std::optional<double> seed_variance(const PairsByHalf& halves) {
  double squares = 0.0;
  double degrees_of_freedom = 0.0;
  for (const auto& [half, pairs] : halves) {
    const double n = static_cast<double>(pairs.size());
    double mean = 0.0;
    for (const Pair* pair : pairs) mean += pair->difference() / n;
    for (const Pair* pair : pairs) squares += (pair->difference() - mean) * (pair->difference() - mean);
    degrees_of_freedom += n - 1.0;
  }
  if (degrees_of_freedom == 0.0) return std::nullopt;
  return squares / degrees_of_freedom;
}

double sampling_variance(const Observation& o) { return o.top1 * (1.0 - o.top1) / static_cast<double>(o.n_test); }

std::optional<double> test_set_error(const PairsByHalf& halves) {
  double sum = 0.0;  // of the halves' variances
  for (const auto& [half, pairs] : halves) {
    const double n = static_cast<double>(pairs.size());
    for (const Pair* pair : pairs) {
      if (pair->treated.n_test == 0 || pair->reference.n_test == 0) return std::nullopt;
      sum += (sampling_variance(pair->treated) + sampling_variance(pair->reference)) / n;
    }
  }
  if (halves.empty()) return std::nullopt;
  return std::sqrt(sum) / static_cast<double>(halves.size());
}

/// The units' variance without the part that `seed_variance` puts into each unit's mean.
double variance_without_seeds(std::span<const UnitDifference> units, double unit_variance, double seed_variance) {
  double share = 0.0;
  for (const UnitDifference& unit : units) share += 1.0 / static_cast<double>(unit.pairs.size());
  share /= static_cast<double>(units.size());
  return std::max(0.0, unit_variance - seed_variance * share);
}

}  // namespace

Precision precision_of(std::span<const UnitDifference> units, PairUnit unit, double level) {
  const std::vector<double> means = means_of(units);
  const IntervalEstimate estimate = estimate_mean(means, level);
  const PairsByHalf halves = by_half(units);
  const auto between_seeds = seed_variance(halves);
  Precision precision;
  if (between_seeds) precision.seed_deviation = std::sqrt(*between_seeds);
  precision.test_set_error = test_set_error(halves);
  precision.units_to_halve = units_to_halve(means, level);
  if (!estimate.half_width) return precision;
  const double quantile = t_quantile(level, estimate.units - 1);
  precision.standard_error = *estimate.half_width / quantile;
  if (unit == PairUnit::seed || !between_seeds) return precision;
  const double n = static_cast<double>(estimate.units);
  const double unit_variance = n * *precision.standard_error * *precision.standard_error;
  precision.endless_seeds_half_width =
      quantile * std::sqrt(variance_without_seeds(units, unit_variance, *between_seeds) / n);
  return precision;
}

}  // namespace graft
