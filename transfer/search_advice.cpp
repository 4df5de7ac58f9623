#include "transfer/search_advice.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "transfer/recommendation.h"
#include "transfer/report_verdicts.h"

namespace graft {
namespace {

const RankedArm* find(const RankedRung& rung, const SearchArm& arm) {
  for (const RankedArm& candidate : rung.arms) {
    if (candidate.arm == arm && candidate.evaluation.ok()) return &candidate;
  }
  return nullptr;
}

}  // namespace

SearchAdvice advice_of(const SearchOutcome& outcome) {
  const DecisionRule rule = rule_of(outcome.study);
  const std::vector<Recommendation> found = recommend(outcome.contrasts, rule);
  if (found.empty()) {
    return {.arm = {}, .text = "train anew (base): nothing could be compared on what is held out"};
  }
  SearchAdvice advice{.arm = {}, .text = found.front().text(rule)};
  if (found.front().evidence == nullptr) return advice;
  advice.arm = outcome.challenger;
  const Contrast& evidence = *found.front().evidence;
  const auto images = evidence.precision.test_set_error;
  // Seeds share the images: their interval knows nothing of what others would give.
  if (images && std::abs(evidence.difference.mean) < 2.0 * *images) {
    advice.text += fmt::format("; so small a difference may be one of these {} images", outcome.held_out);
  }
  return advice;
}

SearchScores scores_of(const SearchOutcome& outcome) {
  SearchScores scores;
  for (std::size_t rung = 0; rung < outcome.rungs.size(); ++rung) {
    const RankedArm* challenger = find(outcome.rungs[rung], outcome.challenger);
    if (challenger == nullptr) continue;
    scores.search = challenger->evaluation.top1();
    scores.search_rung = static_cast<int>(rung);
  }
  double sum = 0.0;
  for (const Evaluation& e : outcome.decided) {
    if (e.cut == 0 || !e.ok()) continue;
    sum += e.top1();
    ++scores.seeds;
  }
  if (scores.seeds > 0) scores.held_out = sum / static_cast<double>(scores.seeds);
  return scores;
}

SearchOptimism optimism_of(const SearchOutcome& outcome) {
  SearchOptimism optimism;
  for (std::size_t rung = 0; rung < outcome.rungs.size(); ++rung) {
    const RankedArm* base = find(outcome.rungs[rung], SearchArm{});
    const RankedArm* challenger = find(outcome.rungs[rung], outcome.challenger);
    if (base == nullptr || challenger == nullptr) continue;
    optimism.search = challenger->evaluation.top1() - base->evaluation.top1();
    optimism.rung = static_cast<int>(rung);
  }
  for (const Contrast& contrast : outcome.contrasts) {
    if (!contrast.refused()) optimism.held_out = contrast.difference.mean;
  }
  return optimism;
}

std::optional<double> seconds_a_network(const SearchOutcome& outcome, bool base) {
  double sum = 0.0;
  std::int64_t count = 0;
  for (const Evaluation& e : outcome.decided) {
    if ((e.cut == 0) != base || !e.ok()) continue;
    sum += e.seconds;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

}  // namespace graft
