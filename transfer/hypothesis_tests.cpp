#include "transfer/hypothesis_tests.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/error.h"
#include "transfer/distributions.h"
#include "transfer/statistics.h"

namespace graft {
namespace {

struct Moments {
  double mean = 0.0;
  double standard_error = 0.0;
  double degrees_of_freedom = 0.0;
};

Moments moments_of(std::span<const double> units) {
  const double n = static_cast<double>(units.size());
  Moments moments{.mean = std::accumulate(units.begin(), units.end(), 0.0) / n, .degrees_of_freedom = n - 1.0};
  double squares = 0.0;
  for (const double value : units) squares += (value - moments.mean) * (value - moments.mean);
  moments.standard_error = std::sqrt(squares / (n - 1.0) / n);
  return moments;
}

/// The chance that Student's t exceeds distance / standard_error.
double upper_tail(double distance, const Moments& moments) {
  if (moments.standard_error == 0.0) return distance > 0.0 ? 0.0 : distance < 0.0 ? 1.0 : 0.5;
  return student_t_above(distance / moments.standard_error, moments.degrees_of_freedom);
}

std::vector<std::size_t> by_rising_p(std::span<const double> p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  return order;
}

}  // namespace

std::optional<double> t_test_p(std::span<const double> units) {
  if (units.size() < 2) return std::nullopt;
  const Moments moments = moments_of(units);
  return 2.0 * upper_tail(std::abs(moments.mean), moments);
}

std::optional<double> equivalence_p(std::span<const double> units, double margin) {
  check(margin > 0.0, "[equivalence] the margin is {}, it must be above 0", margin);
  if (units.size() < 2) return std::nullopt;
  const Moments moments = moments_of(units);
  return std::max(upper_tail(moments.mean + margin, moments), upper_tail(margin - moments.mean, moments));
}

std::vector<double> holm_adjusted(std::span<const double> p_values) {
  std::vector<double> adjusted(p_values.size());
  double least = 0.0;  // adjusted values never fall as p rises
  std::size_t left = p_values.size();
  for (const std::size_t i : by_rising_p(p_values)) {
    least = std::max(least, std::min(1.0, static_cast<double>(left--) * p_values[i]));
    adjusted[i] = least;
  }
  return adjusted;
}

std::vector<double> holm_levels(std::span<const double> p_values, double level) {
  std::vector<double> levels(p_values.size());
  std::size_t left = p_values.size();
  for (const std::size_t i : by_rising_p(p_values)) {
    const double alpha = (1.0 - level) / static_cast<double>(left);
    levels[i] = 1.0 - alpha;
    if (p_values[i] <= alpha) --left;
  }
  return levels;
}

std::optional<std::int64_t> units_to_halve(std::span<const double> units, double level) {
  const IntervalEstimate now = estimate_mean(units, level);
  if (!now.half_width || *now.half_width == 0.0) return std::nullopt;
  const auto relative = [&](std::int64_t n) { return t_quantile(level, n - 1) / std::sqrt(static_cast<double>(n)); };
  const double wanted = relative(now.units) / 2.0;
  std::int64_t n = now.units + 1;
  while (relative(n) > wanted) ++n;
  return n - now.units;
}

}  // namespace graft
