#include <nlohmann/json.hpp>

#include "transfer/report_verdicts.h"
#include "transfer/search_advice.h"
#include "transfer/search_report.h"
#include "transfer/verdict.h"

namespace graft {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(std::optional<double> value) { return value ? Json(*value) : Json(nullptr); }

Json describe(const SearchArm& arm) { return {{"treatment", label_of(arm.method)}, {"cut", arm.cut}}; }

Json describe(const Evaluation& e) {
  const std::string untrained = e.untrained();
  return {{"id", e.id},
          {"treatment", e.treatment},
          {"cut", e.cut},
          {"seed", e.seed},
          {"status", e.status},
          {"error", e.error},
          {"correct", e.correct},
          {"n", e.n},
          {"top1", e.ok() ? Json(e.top1()) : Json(nullptr)},
          {"did_not_train", untrained.empty() ? Json(nullptr) : Json(untrained)}};
}

Json describe_rungs(const SearchOutcome& outcome) {
  Json rungs = Json::array();
  for (const RankedRung& rung : outcome.rungs) {
    Json candidates = Json::array();
    for (const RankedArm& candidate : rung.arms) {
      Json json = describe(candidate.evaluation);
      json["kept"] = candidate.kept;
      candidates.push_back(std::move(json));
    }
    rungs.push_back({{"length", rung.length}, {"candidates", std::move(candidates)}});
  }
  return rungs;
}

Json describe_difference(const Contrast& contrast, const DecisionRule& rule) {
  const IntervalEstimate& difference = contrast.difference;
  const bool interval = difference.half_width.has_value();
  return {{"units", difference.units},
          {"unit", name_of(contrast.unit)},
          {"mean", contrast.refused() ? Json(nullptr) : Json(difference.mean)},
          {"lo", interval ? Json(difference.mean - *difference.half_width) : Json(nullptr)},
          {"hi", interval ? Json(difference.mean + *difference.half_width) : Json(nullptr)},
          {"p", or_null(contrast.decision.p)},
          {"test_set_error", or_null(contrast.precision.test_set_error)},
          {"verdict", verdict_of(contrast)},
          {"verdict_reason", reason_of(contrast, rule)}};
}

Json describe_held_out(const SearchOutcome& outcome) {
  Json networks = Json::array();
  for (const Evaluation& e : outcome.decided) networks.push_back(describe(e));
  const DecisionRule rule = rule_of(outcome.study);
  return {
      {"images", outcome.held_out},
      {"challenger", describe(outcome.challenger)},
      {"networks", std::move(networks)},
      {"difference", outcome.contrasts.empty() ? Json(nullptr) : describe_difference(outcome.contrasts.front(), rule)}};
}

Json describe_recommendation(const SearchOutcome& outcome) {
  const SearchScores scores = scores_of(outcome);
  const SearchOptimism optimism = optimism_of(outcome);
  const SearchAdvice advice = advice_of(outcome);
  Json json = describe(advice.arm);
  json["search_top1"] = scores.search;
  json["held_out_top1"] = or_null(scores.held_out);
  json["search_difference"] = or_null(optimism.search);
  json["held_out_difference"] = or_null(optimism.held_out);
  json["text"] = advice.text;
  return json;
}

std::string text_of(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string search_json(const SearchOutcome& outcome) {
  const std::string missing = not_looked_at(outcome);
  const Json json{{"study", outcome.study.name},
                  {"split", outcome.split},
                  {"target", outcome.classes},
                  {"training_images", outcome.training},
                  {"validation_images", outcome.validation},
                  {"held_out_images", outcome.held_out},
                  {"eta", outcome.eta},
                  {"min_epochs", outcome.least},
                  {"seed", outcome.seed},
                  {"not_searched", outcome.not_searched},
                  {"rungs", describe_rungs(outcome)},
                  {"not_looked_at", missing.empty() ? Json(nullptr) : Json(missing)},
                  {"held_out", describe_held_out(outcome)},
                  {"recommendation", describe_recommendation(outcome)},
                  {"seconds",
                   {{"used", outcome.used},
                    {"budget", or_null(outcome.budget)},
                    {"a_network", or_null(seconds_a_network(outcome, false))},
                    {"a_base_network", or_null(seconds_a_network(outcome, true))}}}};
  return text_of(json, 2) + "\n";
}

std::string search_conclusion(const SearchOutcome& outcome) {
  Json json{{"kind", "recommendation"}};
  json.update(describe_recommendation(outcome));
  json["held_out"] = describe_held_out(outcome);
  json["used"] = outcome.used;
  return text_of(json, -1);
}

}  // namespace graft
