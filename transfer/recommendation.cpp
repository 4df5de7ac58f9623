#include "transfer/recommendation.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "transfer/verdict.h"

namespace graft {
namespace {

using Candidates = std::vector<const Contrast*>;

std::optional<double> cost_of(std::span<const ArmCost> costs, const Arm& arm) {
  const auto found = std::find_if(costs.begin(), costs.end(), [&](const ArmCost& cost) { return cost.arm == arm; });
  if (found == costs.end()) return std::nullopt;
  return found->seconds;
}

Candidates with(const Candidates& all, Finding finding) {
  Candidates chosen;
  std::copy_if(all.begin(), all.end(), std::back_inserter(chosen),
               [&](const Contrast* contrast) { return contrast->finding() == finding; });
  return chosen;
}

double lower_end(const Contrast& contrast) {
  return contrast.decision.at_holm_level.mean - *contrast.decision.at_holm_level.half_width;
}

/// nullptr unless one of them has a cost below `limit`.
const Contrast* cheapest(const Candidates& candidates, std::span<const ArmCost> costs, std::optional<double> limit) {
  const Contrast* best = nullptr;
  for (const Contrast* contrast : candidates) {
    const auto cost = cost_of(costs, contrast->arm);
    if (!cost || (limit && *cost >= *limit)) continue;
    if (best == nullptr || *cost < *cost_of(costs, best->arm)) best = contrast;
  }
  return best;
}

const Contrast* best_gain(const Candidates& gains, const DecisionRule& rule, std::span<const ArmCost> costs) {
  if (gains.empty()) return nullptr;
  const Contrast* best = *std::max_element(
      gains.begin(), gains.end(), [](const Contrast* a, const Contrast* b) { return lower_end(*a) < lower_end(*b); });
  if (!rule.margin) return best;
  Candidates near;
  std::copy_if(gains.begin(), gains.end(), std::back_inserter(near), [&](const Contrast* contrast) {
    return contrast->difference.mean >= best->difference.mean - *rule.margin;
  });
  const Contrast* cheap = cheapest(near, costs, cost_of(costs, best->arm));
  return cheap == nullptr ? best : cheap;
}

const Contrast* deepest_frozen(const Candidates& candidates) {
  const Contrast* deepest = nullptr;
  for (const Contrast* contrast : candidates) {
    if (contrast->arm.treatment.find('+') != std::string::npos) continue;
    if (deepest == nullptr || contrast->arm.cut > deepest->arm.cut) deepest = contrast;
  }
  return deepest;
}

const Contrast* cheap_equal(const Candidates& equals, std::span<const ArmCost> costs) {
  const auto base = cost_of(costs, {"base", 0});
  return base ? cheapest(equals, costs, base) : deepest_frozen(equals);
}

Candidates higher_but_not_shown(const Candidates& all, double estimate) {
  Candidates higher;
  for (const Contrast* contrast : all) {
    if (contrast->finding() == Finding::not_shown && contrast->difference.mean > estimate) higher.push_back(contrast);
  }
  std::stable_sort(higher.begin(), higher.end(),
                   [](const Contrast* a, const Contrast* b) { return a->difference.mean > b->difference.mean; });
  return higher;
}

Recommendation recommend_for(const std::string& group, const Candidates& all, const DecisionRule& rule,
                             std::span<const ArmCost> costs) {
  Recommendation chosen;
  chosen.group = group;
  chosen.evidence = best_gain(with(all, Finding::gain), rule, costs);
  if (chosen.evidence == nullptr) chosen.evidence = cheap_equal(with(all, Finding::equivalent), costs);
  if (chosen.evidence != nullptr) chosen.arm = chosen.evidence->arm;
  chosen.seconds = cost_of(costs, chosen.arm);
  chosen.base_seconds = cost_of(costs, {"base", 0});
  chosen.undecided = higher_but_not_shown(all, chosen.evidence == nullptr ? 0.0 : chosen.evidence->difference.mean);
  return chosen;
}

std::string arm_text(const Arm& arm) { return fmt::format("{} at cut {}", arm.treatment, arm.cut); }

}  // namespace

std::string Recommendation::text(const DecisionRule& rule) const {
  std::string text =
      evidence == nullptr
          ? "train anew (base): no carried layers were shown to gain accuracy, or to save training "
            "without a loss that matters"
          : fmt::format("{}, which {}: {}", arm_text(arm), verdict_of(*evidence), reason_of(*evidence, rule));
  if (evidence != nullptr && seconds && base_seconds) {
    text += fmt::format("; {:.1f} s a network against {:.1f} s for base", *seconds, *base_seconds);
  }
  if (undecided.empty()) return text;
  const Contrast& first = *undecided.front();
  text += fmt::format(". Higher by estimate, but not shown: {} ({:+.4f}, {} unit{}", arm_text(first.arm),
                      first.difference.mean, first.difference.units, first.difference.units == 1 ? "" : "s");
  text += undecided.size() > 1 ? fmt::format(") and {} more", undecided.size() - 1) : std::string(")");
  return text;
}

std::vector<Recommendation> recommend(std::span<const Contrast> contrasts, const DecisionRule& rule,
                                      std::span<const ArmCost> costs) {
  std::vector<std::pair<std::string, Candidates>> groups;
  for (const Contrast& contrast : contrasts) {
    if (!contrast.carries_over || contrast.refused() || !contrast.against_base()) continue;
    if (groups.empty() || groups.back().first != contrast.group) groups.emplace_back(contrast.group, Candidates{});
    groups.back().second.push_back(&contrast);
  }
  std::vector<Recommendation> chosen;
  chosen.reserve(groups.size());
  for (const auto& [group, candidates] : groups) chosen.push_back(recommend_for(group, candidates, rule, costs));
  return chosen;
}

}  // namespace graft
