#include "transfer/report_verdicts.h"

#include <fmt/format.h>

#include "transfer/contrast_text.h"

namespace graft {

DecisionRule rule_of(const Study& study) { return {.margin = study.margin}; }

std::vector<Contrast> contrasts_of(const ReportData& data) {
  std::vector<Observation> observations = data.observations;
  for (std::size_t i = 0; i < observations.size(); ++i) {
    const RunResult& run = data.finished[i];
    observations[i].source = run.source;
    observations[i].n_test = run.n_test;
    observations[i].trained = !data.is_untrained(run);
  }
  return contrasts_of(observations, {.rule = rule_of(data.study)});
}

std::vector<ArmCost> costs_of(const ReportData& data) {
  std::vector<ArmCost> costs;
  for (const ArmRow& row : data.rows) {
    double seconds = 0.0;
    std::int64_t runs = 0;
    for (std::size_t i = 0; i < data.finished.size(); ++i) {
      if (!belongs(data.observations[i], row.arm)) continue;
      seconds += data.finished[i].seconds;
      ++runs;
    }
    if (runs > 0) costs.push_back({row.arm, seconds / static_cast<double>(runs)});
  }
  return costs;
}

std::vector<std::string> recommendations_of(const ReportData& data) {
  const DecisionRule rule = rule_of(data.study);
  const std::vector<Contrast> contrasts = contrasts_of(data);
  std::vector<std::string> texts;
  for (const Recommendation& recommendation : recommend(contrasts, rule, costs_of(data))) {
    texts.push_back(recommendation.text(rule));
  }
  return texts;
}

std::vector<Arm> recommended_arms(const ReportData& data) {
  const std::vector<Contrast> contrasts = contrasts_of(data);
  std::vector<Arm> arms;
  for (const Recommendation& recommendation : recommend(contrasts, rule_of(data.study), costs_of(data))) {
    arms.push_back(recommendation.arm);
  }
  return arms;
}

std::string report_verdicts(const ReportData& data) {
  const DecisionRule rule = rule_of(data.study);
  const std::vector<Contrast> contrasts = contrasts_of(data);
  std::string text = verdicts_text(contrasts, rule);
  for (const std::string& recommendation : recommendations_of(data)) {
    text += fmt::format("\nwhat to use\n{}\n", recommendation);
  }
  return text.empty() ? text : text + "\n";
}

}  // namespace graft
