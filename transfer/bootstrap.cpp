#include "transfer/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/philox.h"
#include "transfer/distributions.h"

namespace graft {
namespace {

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Skewness of the mean by leaving each unit out once: sum(d^3) / (6 sum(d^2)^(3/2)), d the mean of the left-out means
/// minus each.
double acceleration_of(std::span<const double> units) {
  const double n = static_cast<double>(units.size());
  const double sum = std::accumulate(units.begin(), units.end(), 0.0);
  std::vector<double> left_out;
  for (const double value : units) left_out.push_back((sum - value) / (n - 1.0));
  const double centre = mean_of(left_out);
  double squares = 0.0;
  double cubes = 0.0;
  for (const double value : left_out) {
    const double d = centre - value;
    squares += d * d;
    cubes += d * d * d;
  }
  return cubes / (6.0 * std::pow(squares, 1.5));
}

/// The share of resamples below the mean.
double share_below(std::span<const double> means, double mean) {
  double below = 0.0;
  for (const double value : means) below += value < mean ? 1.0 : value == mean ? 0.5 : 0.0;
  return below / static_cast<double>(means.size());
}

/// Between the two nearest of sorted values.
double percentile(std::span<const double> sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), sorted.size() - 1);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - static_cast<double>(below));
}

}  // namespace

std::vector<double> bootstrap_means(std::span<const double> units, const BootstrapOptions& options) {
  const RandomStream random{options.seed, stream_of("bootstrap")};
  const auto n = static_cast<std::uint64_t>(units.size());
  std::vector<double> means;
  means.reserve(static_cast<std::size_t>(options.resamples));
  for (std::uint64_t resample = 0; resample < static_cast<std::uint64_t>(options.resamples); ++resample) {
    double sum = 0.0;
    for (std::uint64_t draw = 0; draw < n; ++draw) sum += units[random.below(resample, draw, n)];
    means.push_back(sum / static_cast<double>(n));
  }
  return means;
}

std::optional<BootstrapInterval> bca_interval(std::span<const double> units, const BootstrapOptions& options) {
  if (units.size() < 2 || std::all_of(units.begin(), units.end(), [&](double v) { return v == units[0]; })) {
    return std::nullopt;
  }
  std::vector<double> means = bootstrap_means(units, options);
  const double below = share_below(means, mean_of(units));
  if (below <= 0.0 || below >= 1.0) return std::nullopt;
  const double bias = normal_quantile(below);
  const double acceleration = acceleration_of(units);
  std::sort(means.begin(), means.end());
  const auto end = [&](double share) {
    const double shifted = bias + normal_quantile(share);
    return percentile(means, normal_below(bias + shifted / (1.0 - acceleration * shifted)));
  };
  const double alpha = (1.0 - options.level) / 2.0;
  return BootstrapInterval{.lo = end(alpha), .hi = end(1.0 - alpha), .resamples = options.resamples};
}

}  // namespace graft
