#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace graft {

/// From how many units on a bootstrap interval stands beside Student's: with fewer the resamples of their mean are too
/// few different ones, and too narrow.
constexpr std::int64_t kBootstrapUnits = 12;

struct BootstrapOptions {
  double level = 0.95;
  std::int64_t resamples = 9999;
  std::uint64_t seed = 0;
};

struct BootstrapInterval {
  double lo = 0.0;
  double hi = 0.0;
  std::int64_t resamples = 0;
};

/// Means of `resamples` samples of the units' number, drawn from them with replacement: draw i of resample r is a
/// function of (seed, r, i) alone.
std::vector<double> bootstrap_means(std::span<const double> units, const BootstrapOptions& options);

/// The bias-corrected and accelerated bootstrap interval of the mean (Efron 1987), as SciPy's stats.bootstrap defines
/// it: the bias correction from the share of resamples below the mean, ties counted half; the acceleration from the
/// jackknife; percentiles interpolated linearly. Nothing for fewer than two units or where they do not spread.
std::optional<BootstrapInterval> bca_interval(std::span<const double> units, const BootstrapOptions& options = {});

}  // namespace graft
