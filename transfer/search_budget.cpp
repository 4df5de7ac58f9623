#include "transfer/search_budget.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "engine/base/error.h"

namespace graft {

void TrainingTimes::learn(const PlannedTraining& training, double seconds) {
  for (Sum* sum : {&all_, &by_arm_[training.arm]}) {
    sum->flops += training.flops;
    sum->seconds += seconds;
  }
}

std::optional<double> TrainingTimes::seconds(const PlannedTraining& training) const {
  const auto arm = by_arm_.find(training.arm);
  const Sum& sum = arm == by_arm_.end() ? all_ : arm->second;
  if (sum.flops > 0.0) return training.flops * sum.seconds / sum.flops;
  if (first_guess_ > 0.0) return training.flops * first_guess_;
  return std::nullopt;
}

std::optional<double> TrainingTimes::seconds(const std::vector<PlannedTraining>& trainings, int jobs) const {
  double sum = 0.0;
  double longest = 0.0;
  for (const PlannedTraining& training : trainings) {
    const std::optional<double> one = seconds(training);
    if (!one) return std::nullopt;
    sum += *one;
    longest = std::max(longest, *one);
  }
  return std::max(longest, sum / std::max(1, jobs));
}

double SearchBudget::used() const {
  return earlier_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

bool SearchBudget::allows(std::optional<double> seconds) const {
  return !limit_ || !seconds || used() + *seconds <= *limit_;
}

double seconds_from_text(const std::string& text, const std::string& flag) {
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const double factor = unit.empty() || unit == "s" ? 1.0 : unit == "m" ? 60.0 : unit == "h" ? 3600.0 : 0.0;
  if (error == std::errc{} && std::isfinite(number) && number > 0.0 && factor > 0.0) return number * factor;
  fail(ErrorKind::usage, "{} {}: a time above 0 is wanted, such as 90s, 10m or 1.5h", flag, text);
}

}  // namespace graft
