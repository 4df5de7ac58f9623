#include "transfer/contrast.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace graft {
namespace {

constexpr std::array<ContrastRole, 4> kRoles{{{"fragile co-adaptation", "BnB", "base", -1},
                                              {"specificity", "AnB", "BnB", -1},
                                              {"recovery", "BnB+", "BnB", 1},
                                              {"transfer gain", "AnB+", "BnB+", 1}}};

using Comparison = std::pair<std::string, std::string>;  ///< treatment, reference

/// The paper's treatments in its order, then others as they come.
std::vector<std::string> treatments_of(const SplitGroup& group) {
  std::vector<std::string> present;
  for (const Observation& o : group.observations) {
    if (std::find(present.begin(), present.end(), o.treatment) == present.end()) present.push_back(o.treatment);
  }
  const std::array<std::string, 6> order{"base", "BnB", "AnB", "BnB+", "AnB+", "random"};
  const auto rank = [&](const std::string& treatment) {
    return std::find(order.begin(), order.end(), treatment) - order.begin();
  };
  std::stable_sort(present.begin(), present.end(),
                   [&](const std::string& a, const std::string& b) { return rank(a) < rank(b); });
  return present;
}

std::vector<Comparison> comparisons_of(const SplitGroup& group) {
  const std::vector<std::string> present = treatments_of(group);
  const auto is_present = [&](const char* treatment) {
    return std::find(present.begin(), present.end(), treatment) != present.end();
  };
  std::vector<Comparison> comparisons;
  for (const std::string& treatment : present) {
    if (treatment != "base") comparisons.emplace_back(treatment, "base");
  }
  for (const ContrastRole& role : kRoles) {
    if (role.reference != std::string("base") && is_present(role.treatment) && is_present(role.reference)) {
      comparisons.emplace_back(role.treatment, role.reference);
    }
  }
  return comparisons;
}

std::set<int> cuts_of(const SplitGroup& group, const std::string& treatment) {
  std::set<int> cuts;
  for (const Observation& o : group.observations) {
    if (o.treatment == treatment) cuts.insert(o.cut);
  }
  return cuts;
}

/// Where an arm was tested, as "random0/B" or "random0/B seed 1", at most four of them.
std::string places(const SplitGroup& group, const Arm& arm, bool with_seeds) {
  std::set<std::string> names;
  for (const Observation& o : group.observations) {
    if (!belongs(o, arm)) continue;
    std::string name = o.split + "/" + o.target;
    if (with_seeds) name += fmt::format(" seed {}", o.seed);
    names.insert(std::move(name));
  }
  constexpr std::size_t kShown = 4;
  const std::size_t more = names.size() > kShown ? names.size() - kShown : 0;
  const auto end = std::next(names.begin(), static_cast<std::ptrdiff_t>(names.size() - more));
  std::string text = fmt::format("{}", fmt::join(names.begin(), end, ", "));
  if (more > 0) text += fmt::format(" and {} more", more);
  return text;
}

bool share_a_half(const SplitGroup& group, const Arm& arm, const Arm& reference) {
  return std::any_of(group.observations.begin(), group.observations.end(), [&](const Observation& a) {
    return belongs(a, arm) && std::any_of(group.observations.begin(), group.observations.end(), [&](const auto& b) {
             return belongs(b, reference) && a.split == b.split && a.target == b.target;
           });
  });
}

std::string refusal_of(const SplitGroup& group, const Arm& arm, const Arm& reference) {
  if (cuts_of(group, reference.treatment).empty())
    return fmt::format("no {} network to compare with", reference.treatment);
  const bool seeds = share_a_half(group, arm, reference);
  return fmt::format("no common pair: {} was tested only on {}, {} only on {}", arm.treatment,
                     places(group, arm, seeds), reference.treatment, places(group, reference, seeds));
}

bool is_probe(const std::string& treatment) { return treatment == "probe" || treatment.starts_with("probe "); }

bool carries_over(const SplitGroup& group, const Arm& arm) {
  // A probe tells what stages hold: what stands behind them is no network of the task.
  if (arm.cut == 0 || is_probe(arm.treatment)) return false;
  return std::all_of(group.observations.begin(), group.observations.end(), [&](const Observation& o) {
    return !belongs(o, arm) || (!o.source.empty() && o.source != o.target);
  });
}

bool trained(const Pair& pair) { return pair.treated.trained && pair.reference.trained; }

/// The units with those pairs alone of which both networks trained; units without such a pair are left out.
std::vector<double> trained_means(std::span<const UnitDifference> units) {
  std::vector<double> means;
  for (const UnitDifference& unit : units) {
    double sum = 0.0;
    std::int64_t count = 0;
    for (const Pair& pair : unit.pairs) {
      if (!trained(pair)) continue;
      sum += pair.difference();
      ++count;
    }
    if (count > 0) means.push_back(sum / static_cast<double>(count));
  }
  return means;
}

Contrast measure(const SplitGroup& group, const Arm& arm, const Arm& reference, const ContrastOptions& options) {
  Contrast contrast;
  contrast.group = group.name;
  contrast.unit = group.unit;
  contrast.arm = arm;
  contrast.reference = reference;
  contrast.carries_over = carries_over(group, arm);
  contrast.units = unit_differences(group.observations, arm, group.unit, reference);
  if (contrast.units.empty()) {
    contrast.refusal = refusal_of(group, arm, reference);
    return contrast;
  }
  for (const UnitDifference& unit : contrast.units) {
    contrast.pairs += static_cast<std::int64_t>(unit.pairs.size());
    for (const Pair& pair : unit.pairs) contrast.untrained += !pair.treated.trained + !pair.reference.trained;
  }
  const auto means = means_of(contrast.units);
  contrast.difference = estimate_mean(means, options.rule.level);
  contrast.trained_difference = estimate_mean(trained_means(contrast.units), options.rule.level);
  contrast.precision = precision_of(contrast.units, contrast.unit, options.rule.level);
  if (contrast.difference.units >= kBootstrapUnits) {
    contrast.bootstrap =
        bca_interval(means, {.level = options.rule.level, .resamples = options.resamples, .seed = options.seed});
  }
  return contrast;
}

/// Judges the same two treatments at all their cuts together.
void decide(std::span<Contrast> family, const DecisionRule& rule) {
  std::vector<std::vector<double>> all;
  std::vector<std::vector<double>> trained;
  for (const Contrast& contrast : family) {
    all.push_back(means_of(contrast.units));
    trained.push_back(trained_means(contrast.units));
  }
  const auto decisions = decide_family(all, rule);
  const auto trained_decisions = decide_family(trained, rule);
  for (std::size_t i = 0; i < family.size(); ++i) {
    family[i].decision = decisions[i];
    family[i].trained_finding = trained_decisions[i].finding;
  }
}

std::vector<Contrast> family_of(const SplitGroup& group, const Comparison& comparison, const ContrastOptions& options) {
  const auto& [treatment, reference] = comparison;
  const std::set<int> reference_cuts = cuts_of(group, reference);
  std::vector<Contrast> family;
  for (const int cut : cuts_of(group, treatment)) {
    if (reference != "base" && !reference_cuts.contains(cut)) continue;
    family.push_back(measure(group, {treatment, cut}, {reference, reference == "base" ? 0 : cut}, options));
  }
  decide(family, options.rule);
  return family;
}

}  // namespace

std::string name_of(const Contrast& contrast) { return contrast.arm.treatment + " - " + contrast.reference.treatment; }

std::span<const ContrastRole> contrast_roles() { return kRoles; }

const ContrastRole* role_of(const Contrast& contrast) {
  const auto found = std::find_if(kRoles.begin(), kRoles.end(), [&](const ContrastRole& role) {
    return contrast.arm.treatment == role.treatment && contrast.reference.treatment == role.reference;
  });
  return found == kRoles.end() ? nullptr : &*found;
}

std::vector<Contrast> contrasts_of(std::span<const Observation> observations, const ContrastOptions& options) {
  std::vector<Contrast> contrasts;
  for (const SplitGroup& group : split_groups(observations)) {
    for (const Comparison& comparison : comparisons_of(group)) {
      for (Contrast& contrast : family_of(group, comparison, options)) contrasts.push_back(std::move(contrast));
    }
  }
  return contrasts;
}

}  // namespace graft
