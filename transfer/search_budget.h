#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace graft {

/// A network that is still to be trained.
struct PlannedTraining {
  std::string arm;
  double flops = 0.0;
};

/// How long trainings take, from those that have been made: seconds an operation of the same arm's, or where it has
/// none of all. Small layers are slower by the operation than large ones, which is why arms count apart.
class TrainingTimes {
 public:
  /// `seconds_per_flop` holds until something was trained; 0: not known.
  explicit TrainingTimes(double seconds_per_flop) : first_guess_(seconds_per_flop) {}

  void learn(const PlannedTraining& training, double seconds);
  /// Nothing while nothing is known.
  std::optional<double> seconds(const PlannedTraining& training) const;
  /// Of all of them, `jobs` at a time: at least as long as the longest.
  std::optional<double> seconds(const std::vector<PlannedTraining>& trainings, int jobs) const;

 private:
  struct Sum {
    double flops = 0.0;
    double seconds = 0.0;
  };
  double first_guess_;
  Sum all_;
  std::map<std::string, Sum> by_arm_;
};

/// The seconds that a search may take, all its starts together.
class SearchBudget {
 public:
  /// `used` by earlier starts. No limit: there is always time.
  SearchBudget(std::optional<double> limit, double used) : limit_(limit), earlier_(used) {}

  double used() const;
  std::optional<double> limit() const { return limit_; }
  /// True iff `seconds` more fit, or nobody knows.
  bool allows(std::optional<double> seconds) const;

 private:
  std::optional<double> limit_;
  double earlier_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// "90", "90s", "10m", "1.5h" as seconds. Throws Error(usage) naming `flag` for anything else, and for 0.
double seconds_from_text(const std::string& text, const std::string& flag);

}  // namespace graft
