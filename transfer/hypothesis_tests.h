#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace graft {

/// p of Student's two-sided test that independent units have mean 0; of paired differences it is the paired t-test.
/// Nothing for fewer than two units. Units without any spread give 0, or 1 where their mean is 0.
std::optional<double> t_test_p(std::span<const double> units);

/// p of two one-sided t-tests that the mean lies outside [-margin, margin] (Schuirmann 1987): where it is at most
/// alpha, the mean is shown to lie within the margin. Nothing for fewer than two units; throws unless margin > 0.
std::optional<double> equivalence_p(std::span<const double> units, double margin);

/// Holm's step-down adjustment (Holm 1979), in the order given: with adjusted p at most alpha as the rule, the chance
/// of one or more false findings among all is at most alpha, however they depend on each other.
std::vector<double> holm_adjusted(std::span<const double> p_values);

/// The level at which Holm's procedure tests each: 1 - alpha / (m - i) for the one that is i-th from 0 by rising p
/// while all before it are rejected, and the level of the first one not rejected for that and all after it. A t
/// interval of that level excludes 0 iff Holm rejects at alpha = 1 - level.
std::vector<double> holm_levels(std::span<const double> p_values, double level);

/// How many more units would halve the t interval of `level`, if they spread as these do. Nothing for fewer than two
/// units or no spread.
std::optional<std::int64_t> units_to_halve(std::span<const double> units, double level);

}  // namespace graft
