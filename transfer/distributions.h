#pragma once

#include <cstdint>

namespace graft {

/// The regularised incomplete beta function I_x(a, b) for a, b > 0 and x in [0, 1]. `above` is 1 - x, which a caller
/// often knows better than a subtraction would. Continued fraction of DLMF 8.17.22. Its relative error, and that of all
/// below but the normal's, is std::lgamma's: beside SciPy at random arguments under 1e-13 up to a and b of 10, 1e-11 up
/// to 100, 1e-10 up to 3,000, 1e-8 up to a million.
double incomplete_beta(double a, double b, double x, double above);

/// The chance that a standard normal variable is at most z.
double normal_below(double z);
/// Its inverse: the z that has the share `below`, in (0, 1), at or below it.
double normal_quantile(double below);

/// The chance that Student's t with `degrees_of_freedom` > 0, not necessarily whole, exceeds t.
double student_t_above(double t, double degrees_of_freedom);
/// Its inverse: the t that leaves the share `above`, in (0, 1), above it.
double student_t_quantile_above(double above, double degrees_of_freedom);

/// The chance of at most `heads`, of exactly `heads`, in n >= 0 throws of a fair coin; 0 <= heads <= n.
double fair_coin_at_most(std::int64_t heads, std::int64_t n);
double fair_coin_exactly(std::int64_t heads, std::int64_t n);

}  // namespace graft
