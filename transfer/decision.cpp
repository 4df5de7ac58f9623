#include "transfer/decision.h"

#include "transfer/hypothesis_tests.h"

namespace graft {
namespace {

void test_equality(std::vector<Decision>& decisions, const std::vector<std::size_t>& tested,
                   std::span<const std::vector<double>> members, double level) {
  std::vector<double> p_values;
  p_values.reserve(tested.size());
  for (const std::size_t i : tested) p_values.push_back(*t_test_p(members[i]));
  const auto adjusted = holm_adjusted(p_values);
  const auto levels = holm_levels(p_values, level);
  for (std::size_t k = 0; k < tested.size(); ++k) {
    Decision& decision = decisions[tested[k]];
    decision.family = static_cast<std::int64_t>(tested.size());
    decision.p = p_values[k];
    decision.p_holm = adjusted[k];
    decision.holm_level = levels[k];
    decision.at_holm_level = estimate_mean(members[tested[k]], levels[k]);
    decision.sign_shown = adjusted[k] <= 1.0 - level;
    if (decision.sign_shown) decision.finding = decision.at_holm_level.mean > 0.0 ? Finding::gain : Finding::loss;
  }
}

void test_equivalence(std::vector<Decision>& decisions, const std::vector<std::size_t>& tested,
                      std::span<const std::vector<double>> members, double level, double margin) {
  std::vector<double> p_values;
  p_values.reserve(tested.size());
  for (const std::size_t i : tested) p_values.push_back(*equivalence_p(members[i], margin));
  const auto adjusted = holm_adjusted(p_values);
  for (std::size_t k = 0; k < tested.size(); ++k) {
    Decision& decision = decisions[tested[k]];
    decision.p_equivalence = p_values[k];
    decision.p_equivalence_holm = adjusted[k];
    if (adjusted[k] <= 1.0 - level) decision.finding = Finding::equivalent;
  }
}

}  // namespace

std::vector<Decision> decide_family(std::span<const std::vector<double>> members, const DecisionRule& rule) {
  std::vector<Decision> decisions(members.size());
  std::vector<std::size_t> tested;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].size() >= 2) tested.push_back(i);
  }
  test_equality(decisions, tested, members, rule.level);
  if (rule.margin) test_equivalence(decisions, tested, members, rule.level, *rule.margin);
  return decisions;
}

}  // namespace graft
