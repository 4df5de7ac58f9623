#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace graft {

/// One trained network as the statistics see it.
struct Observation {
  std::string treatment;
  int cut = 0;
  std::string split;
  std::string target;  ///< the half trained and tested on
  std::uint64_t seed = 0;
  double top1 = 0.0;
  std::string source{};         ///< the half that copied layers were trained on; "" where that is not known
  std::int64_t n_test = 0;      ///< images it was tested on; 0 where that is not known
  std::int64_t iterations = 0;  ///< that it was trained for; 0 where that is not known
  bool trained = true;          ///< false iff it counts as one that did not train
};

/// What counts as one independent unit. With one split its images and classes are the same in every run and only seeds
/// vary: the unit is a seed, and what is found holds for that split only. With two or more the unit is a target half of
/// a split, its seeds averaged first: seeds within it are no independent evidence about other classes.
enum class PairUnit { seed, split_and_target };
/// "seed" or "target half of a split".
const char* name_of(PairUnit unit);
/// seed with one split, split_and_target with more.
PairUnit unit_of(std::span<const Observation> observations);

/// A mean with its two-sided Student t interval over independent units.
struct IntervalEstimate {
  std::int64_t units = 0;
  double mean = 0.0;                 ///< 0 without units
  std::optional<double> half_width;  ///< of the interval; nothing for fewer than two units
};

/// The quantile of Student's t that leaves (1 - level) / 2 above it.
double t_quantile(double level, std::int64_t degrees_of_freedom);
IntervalEstimate estimate_mean(std::span<const double> units, double level = 0.95);

/// A treatment at a cut; of base the cut is 0.
struct Arm {
  std::string treatment;
  int cut = 0;

  bool operator==(const Arm&) const = default;
};
bool belongs(const Observation& observation, const Arm& arm);

/// Two networks of the same split, target half and seed.
struct Pair {
  Observation treated;
  Observation reference;

  double difference() const { return treated.top1 - reference.top1; }
};

/// One independent unit: the pairs in it, and the mean of their differences.
struct UnitDifference {
  std::string unit;  ///< "random0/A", or the seed's number
  std::vector<Pair> pairs;
  double mean = 0.0;
};

/// An arm against another, paired on (split, target half, seed) and gathered by unit, in the order of units' names.
std::vector<UnitDifference> unit_differences(std::span<const Observation> observations, const Arm& arm, PairUnit unit,
                                             const Arm& reference = {"base", 0});
std::vector<double> means_of(std::span<const UnitDifference> units);

/// Treatment minus reference, paired, then averaged within units.
struct PairedDifference {
  std::int64_t pairs = 0;  ///< networks that have a partner
  IntervalEstimate difference;
};

/// An arm against base of the same target half, or against another arm.
PairedDifference paired_difference(std::span<const Observation> observations, const Arm& arm, PairUnit unit,
                                   const Arm& reference = {"base", 0});
/// A treatment against base, averaged over `cuts`: all its pairs of a unit count alike.
PairedDifference difference_over_cuts(std::span<const Observation> observations, const std::string& treatment,
                                      std::span<const int> cuts, PairUnit unit);
/// "-0.0253 +/- 0.0031", or "not enough pairs" where fewer than two units leave the interval undefined.
std::string text_of(const IntervalEstimate& estimate);

/// The arithmetic mean of an arm's networks.
struct ArmMean {
  std::int64_t runs = 0;
  double mean = 0.0;
  double lowest = 0.0;
  double highest = 0.0;
};
ArmMean arm_mean(std::span<const Observation> observations, const Arm& arm);

/// Why a network's answers are no better than guessing, or "": its accuracy on n images is at most three standard
/// errors sqrt(p (1 - p) / n) above chance p = 1 / C. Nothing is said where n is 0.
std::string is_chance(double top1, std::int64_t n, std::int64_t classes);

/// Why a finished network counts as one that did not train, or "": its last epoch's mean training loss is within 0.05
/// nats of ln C (or above it, or no number), what guessing evenly among C classes costs; or its test accuracy is
/// chance. Where n_test is 0, not known, the loss alone decides.
std::string did_not_train(double train_loss, double top1, std::int64_t n_test, std::int64_t classes);

}  // namespace graft
