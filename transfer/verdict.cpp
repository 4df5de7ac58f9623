#include "transfer/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace graft {
namespace {

std::string p_text(double p) { return p < 0.0001 ? "p < 0.0001" : fmt::format("p {:.2g}", p); }

/// "-0.0253 (-0.0310 to -0.0196 at 99.3%, Holm over 7 cuts, p 0.0012)".
std::string figures_of(const Contrast& contrast) {
  const Decision& decision = contrast.decision;
  const double half = *decision.at_holm_level.half_width;
  const double mean = decision.at_holm_level.mean;
  const std::string family = decision.family > 1 ? fmt::format("Holm over {} cuts, ", decision.family) : "";
  return fmt::format("{:+.4f} ({:+.4f} to {:+.4f} at {:.1f}%, {}{})", mean, mean - half, mean + half,
                     100.0 * decision.holm_level, family, p_text(*decision.p_holm));
}

std::string units_text(const Contrast& contrast) {
  const auto n = contrast.difference.units;
  if (contrast.unit == PairUnit::seed) return fmt::format("{} seed{}, for this split only", n, n == 1 ? "" : "s");
  return fmt::format("{} target {} of splits", n, n == 1 ? "half" : "halves");
}

std::string other_way_text(const Contrast& contrast) {
  std::string text;
  const auto units = wrong_way_units(contrast);
  if (!units.empty()) {
    text = fmt::format("; {} of {} units the other way: {}", units.size(), contrast.difference.units,
                       fmt::join(units.begin(), units.begin() + std::min<std::ptrdiff_t>(std::ssize(units), 4), ", "));
  }
  const std::string role = wrong_way_role(contrast);
  return role.empty() ? text : text + "; " + role;
}

std::string more_units_text(const Contrast& contrast) {
  const auto more = contrast.precision.units_to_halve;
  if (!more) return "";
  const bool seeds = contrast.unit == PairUnit::seed;
  const char* unit = *more == 1 ? (seeds ? "seed" : "target half") : (seeds ? "seeds" : "target halves");
  return fmt::format("; {} more {} would halve the interval", *more, unit);
}

std::string not_shown_reason(const Contrast& contrast, const DecisionRule& rule) {
  const double mean = contrast.decision.at_holm_level.mean;
  const double half = *contrast.decision.at_holm_level.half_width;
  std::string text = figures_of(contrast) + " has zero in it";
  if (!rule.margin) {
    text += ", and without a stated margin nothing is called the same";
  } else if (mean - half < -*rule.margin || mean + half > *rule.margin) {
    text += fmt::format(" and reaches beyond the margin of {:.4f}", *rule.margin);
  } else {
    text +=
        fmt::format(", and that it lies within the margin of {:.4f} is not shown at all cuts together", *rule.margin);
  }
  return text + "; " + units_text(contrast) + more_units_text(contrast);
}

std::string equivalent_reason(const Contrast& contrast, const DecisionRule& rule) {
  std::string text = fmt::format("within {:.4f} of {}: {:+.4f}, two one-sided tests, {}; {}", *rule.margin,
                                 contrast.reference.treatment, contrast.difference.mean,
                                 p_text(*contrast.decision.p_equivalence_holm), units_text(contrast));
  if (contrast.decision.sign_shown) {
    text += fmt::format("; a {} of that size is shown", contrast.difference.mean > 0.0 ? "gain" : "loss");
  }
  return text;
}

const char* word_of(Finding finding) {
  switch (finding) {
    case Finding::gain:
      return "gain";
    case Finding::loss:
      return "loss";
    case Finding::equivalent:
      return "equivalent";
    case Finding::not_shown:
      break;
  }
  return "not shown";
}

const char* transfer_word_of(Finding finding) {
  switch (finding) {
    case Finding::gain:
      return "transfers";
    case Finding::loss:
      return "negative transfer";
    case Finding::equivalent:
      return "does not matter";
    case Finding::not_shown:
      break;
  }
  return "not shown";
}

/// The one number of iterations of all networks on one side of the pairs; nothing where they differ or are not known.
std::optional<std::int64_t> iterations_of(const Contrast& contrast, Observation Pair::*side) {
  std::optional<std::int64_t> iterations;
  for (const UnitDifference& unit : contrast.units) {
    for (const Pair& pair : unit.pairs) {
      const std::int64_t value = (pair.*side).iterations;
      if (value == 0 || (iterations && *iterations != value)) return std::nullopt;
      iterations = value;
    }
  }
  return iterations;
}

/// A comparison of networks that were trained for different times says so.
std::string budget_text(const Contrast& contrast) {
  const auto treated = iterations_of(contrast, &Pair::treated);
  const auto reference = iterations_of(contrast, &Pair::reference);
  if (!treated || !reference || *treated == *reference) return "";
  return fmt::format("; trained for {} iterations, {} for {}", *treated, contrast.reference.treatment, *reference);
}

std::string reason_of_findings(const Contrast& contrast, const DecisionRule& rule) {
  if (contrast.hangs_on_untrained()) {
    return fmt::format("it hangs on {} network{} that did not train: with {} {}, without {}", contrast.untrained,
                       contrast.untrained == 1 ? "" : "s", contrast.untrained == 1 ? "it" : "them",
                       word_of(contrast.decision.finding), word_of(contrast.trained_finding));
  }
  if (contrast.difference.units < 2) return fmt::format("one unit gives no interval: {}", units_text(contrast));
  switch (contrast.finding()) {
    case Finding::gain:
    case Finding::loss:
      return fmt::format("{} {}: {}; {}{}", contrast.finding() == Finding::gain ? "above" : "below",
                         contrast.reference.treatment, figures_of(contrast), units_text(contrast),
                         other_way_text(contrast));
    case Finding::equivalent:
      return equivalent_reason(contrast, rule);
    case Finding::not_shown:
      break;
  }
  return not_shown_reason(contrast, rule);
}

}  // namespace

std::string verdict_of(const Contrast& contrast) {
  if (contrast.refused()) return "refused";
  return contrast.carries_over && contrast.against_base() ? transfer_word_of(contrast.finding())
                                                          : word_of(contrast.finding());
}

std::string reason_of(const Contrast& contrast, const DecisionRule& rule) {
  if (contrast.refused()) return contrast.refusal;
  return reason_of_findings(contrast, rule) + budget_text(contrast);
}

std::vector<std::string> wrong_way_units(const Contrast& contrast) {
  if (!contrast.decision.sign_shown) return {};
  const double sign = contrast.difference.mean > 0.0 ? 1.0 : -1.0;
  std::vector<const UnitDifference*> wrong;
  for (const UnitDifference& unit : contrast.units) {
    if (sign * unit.mean < 0.0) wrong.push_back(&unit);
  }
  std::stable_sort(wrong.begin(), wrong.end(),
                   [&](const UnitDifference* a, const UnitDifference* b) { return sign * a->mean < sign * b->mean; });
  std::vector<std::string> names;
  names.reserve(wrong.size());
  const char* prefix = contrast.unit == PairUnit::seed ? "seed " : "";
  for (const UnitDifference* unit : wrong) names.push_back(fmt::format("{}{} {:+.4f}", prefix, unit->unit, unit->mean));
  return names;
}

std::string wrong_way_role(const Contrast& contrast) {
  const ContrastRole* role = role_of(contrast);
  if (role == nullptr || !contrast.decision.sign_shown) return "";
  const bool gain = contrast.difference.mean > 0.0;
  if (gain == (role->expected_sign > 0)) return "";
  return fmt::format("wrong way for {}, which is expected to be a {}", role->name, gain ? "loss" : "gain");
}

}  // namespace graft
