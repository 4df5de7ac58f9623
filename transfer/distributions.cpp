#include "transfer/distributions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace graft {
namespace {

constexpr double precision = std::numeric_limits<double>::epsilon();

/// ln(gamma(a) gamma(b) / gamma(a + b)).
double log_beta(double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); }

/// The continued fraction behind x^a (1-x)^b / (a B(a, b)), by the modified Lentz algorithm. It converges fast for
/// x < (a + 1) / (a + b + 2), in some sqrt(max(a, b)) steps at most.
double beta_fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300;
  constexpr int most_steps = 100000;
  const auto away_from_zero = [](double value) { return std::abs(value) < tiny ? tiny : value; };
  double c = 1.0;
  double d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
  double fraction = d;
  for (int step = 1; step < most_steps; ++step) {
    const double m = step;
    const double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
    d = 1.0 / away_from_zero(1.0 + even * d);
    c = away_from_zero(1.0 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
    d = 1.0 / away_from_zero(1.0 + odd * d);
    c = away_from_zero(1.0 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1.0) < 2.0 * precision) break;
  }
  return fraction;
}

/// The t >= 0 at which the falling function `tail` is `share`, at most tail(0): Newton's steps on ln tail, whose slope
/// is -density / tail, halving where one would leave the bracket.
template <class Tail, class Density>
double where_tail_is(double share, const Tail& tail, const Density& density) {
  double lo = 0.0;
  double hi = 1.0;
  while (tail(hi) > share) {
    lo = hi;
    hi *= 2.0;
  }
  double t = 0.5 * (lo + hi);
  for (int step = 0; step < 200; ++step) {
    const double at = tail(t);
    (at > share ? lo : hi) = t;
    double next = t + std::log(at / share) * at / density(t);
    if (!(next > lo && next < hi)) next = 0.5 * (lo + hi);
    const double moved = std::abs(next - t);
    t = next;
    if (moved <= 2.0 * precision * t) break;
  }
  return t;
}

double normal_above(double z) { return 0.5 * std::erfc(z / std::numbers::sqrt2); }

}  // namespace

double incomplete_beta(double a, double b, double x, double above) {
  if (x <= 0.0) return 0.0;
  if (above <= 0.0) return 1.0;
  const double front = std::exp(a * std::log(x) + b * std::log(above) - log_beta(a, b));
  if (x < (a + 1.0) / (a + b + 2.0)) return front * beta_fraction(a, b, x) / a;
  return 1.0 - front * beta_fraction(b, a, above) / b;
}

double normal_below(double z) { return normal_above(-z); }

double normal_quantile(double below) {
  if (below == 0.5) return 0.0;
  // 1 - below is exact from one half on.
  if (below > 0.5) return -normal_quantile(1.0 - below);
  const auto density = [](double z) { return std::exp(-0.5 * z * z) * std::numbers::inv_sqrtpi / std::numbers::sqrt2; };
  return -where_tail_is(below, normal_above, density);
}

double student_t_above(double t, double degrees_of_freedom) {
  const double n = degrees_of_freedom;
  const double squared = t * t;
  if (std::isinf(squared)) return t > 0.0 ? 0.0 : 1.0;
  const double both = incomplete_beta(0.5 * n, 0.5, n / (n + squared), squared / (n + squared));
  return t > 0.0 ? 0.5 * both : 1.0 - 0.5 * both;
}

double student_t_quantile_above(double above, double degrees_of_freedom) {
  if (above == 0.5) return 0.0;
  if (above > 0.5) return -student_t_quantile_above(1.0 - above, degrees_of_freedom);
  const double n = degrees_of_freedom;
  const double scale = -0.5 * std::log(n) - log_beta(0.5 * n, 0.5);
  const auto tail = [n](double t) { return student_t_above(t, n); };
  const auto density = [n, scale](double t) { return std::exp(scale - 0.5 * (n + 1.0) * std::log1p(t * t / n)); };
  return where_tail_is(above, tail, density);
}

double fair_coin_at_most(std::int64_t heads, std::int64_t n) {
  if (heads >= n) return 1.0;
  return incomplete_beta(static_cast<double>(n - heads), static_cast<double>(heads) + 1.0, 0.5, 0.5);
}

double fair_coin_exactly(std::int64_t heads, std::int64_t n) {
  const auto trials = static_cast<double>(n);
  const auto k = static_cast<double>(heads);
  return std::exp(std::lgamma(trials + 1.0) - std::lgamma(k + 1.0) - std::lgamma(trials - k + 1.0) -
                  trials * std::numbers::ln2);
}

}  // namespace graft
