#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/philox.h"
#include "transfer/bootstrap.h"
#include "transfer/decision.h"
#include "transfer/statistics.h"

// Are intervals and verdicts right as often as they say? Simulated studies of known truth: 3 to 8 target halves, 1 to 5
// seeds, and per half an effect of its own that spreads 0, 1 or 2 times as far as seeds do.
namespace graft {
namespace {

constexpr double kSeedDeviation = 0.01;
constexpr int kStudies = 10'000;

enum class Noise { normal, skewed };

/// Numbers of mean 0 and deviation 1, one after another.
class Draws {
 public:
  Draws(Noise noise, std::uint64_t seed) : noise_(noise), random_{seed, stream_of("coverage")} {}

  double next() {
    const auto words = random_.words(0, index_++);
    if (noise_ == Noise::normal) return normal_pair(words[0], words[1])[0];
    // exponential, its mean taken off
    return -std::log((static_cast<double>(words[0]) + 0.5) * 0x1p-32) - 1.0;
  }
  std::uint64_t below(std::uint64_t bound) { return random_.below(1, index_++, bound); }

 private:
  Noise noise_;
  RandomStream random_;
  std::uint64_t index_ = 0;
};

/// The true differences of AnB at cuts 1, 2, ... to base, and how far halves spread around them.
struct Truth {
  std::vector<double> differences;
  double split_effect = 0.0;  ///< in deviations of a seed
};

std::vector<Observation> simulate(const Truth& truth, Draws& draws) {
  const auto halves = 3 + draws.below(6);
  const auto seeds = 1 + draws.below(5);
  std::vector<Observation> observations;
  for (std::uint64_t half = 0; half < halves; ++half) {
    const std::string split = "r" + std::to_string(half / 2);
    const std::string target = half % 2 == 0 ? "A" : "B";
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      observations.push_back({"base", 0, split, target, seed, 0.7 + kSeedDeviation * draws.next()});
    }
    for (std::size_t cut = 0; cut < truth.differences.size(); ++cut) {
      const double mean = 0.7 + truth.differences[cut] + truth.split_effect * kSeedDeviation * draws.next();
      for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        observations.push_back(
            {"AnB", static_cast<int>(cut) + 1, split, target, seed, mean + kSeedDeviation * draws.next()});
      }
    }
  }
  return observations;
}

std::vector<double> units_at(const std::vector<Observation>& observations, int cut) {
  return means_of(unit_differences(observations, {"AnB", cut}, PairUnit::split_and_target));
}

/// Shares of studies whose interval holds the true difference.
struct Coverage {
  double t = 0.0;
  double bca = 0.0;  ///< of every tenth study, 999 resamples
};

Coverage coverage_of(Noise noise, double split_effect) {
  const Truth truth{.differences = {-0.02}, .split_effect = split_effect};
  Draws draws(noise, static_cast<std::uint64_t>(split_effect) + (noise == Noise::skewed ? 10 : 0));
  Coverage coverage;
  for (int study = 0; study < kStudies; ++study) {
    const auto units = units_at(simulate(truth, draws), 1);
    const IntervalEstimate estimate = estimate_mean(units);
    coverage.t += std::abs(estimate.mean - truth.differences[0]) <= *estimate.half_width ? 1.0 / kStudies : 0.0;
    if (study % 10 != 0) continue;
    const auto bca = bca_interval(units, {.level = 0.95, .resamples = 999, .seed = static_cast<std::uint64_t>(study)});
    const bool holds = bca && bca->lo <= truth.differences[0] && truth.differences[0] <= bca->hi;
    coverage.bca += holds ? 10.0 / kStudies : 0.0;
  }
  return coverage;
}

TEST(Coverage, TIntervalsHoldTheTruthAsOftenAsTheySay) {
  for (const Noise noise : {Noise::normal, Noise::skewed}) {
    for (const double split_effect : {0.0, 1.0, 2.0}) {
      const Coverage coverage = coverage_of(noise, split_effect);
      fmt::print(
          "{} noise, split effect {} x seeds': 95% t intervals hold the truth in {:.1f}% of {} studies, BCa in "
          "{:.1f}%\n",
          noise == Noise::normal ? "normal" : "skewed", split_effect, 100 * coverage.t, kStudies, 100 * coverage.bca);
      if (noise == Noise::skewed) continue;
      EXPECT_GE(coverage.t, 0.93) << "split effect " << split_effect;
      EXPECT_LE(coverage.t, 0.97) << "split effect " << split_effect;
    }
  }
}

/// That every pair were a unit of its own: what the units are there to prevent.
TEST(Coverage, PairsTakenForUnitsDoNot) {
  const Truth truth{.differences = {-0.02}, .split_effect = 2.0};
  Draws draws(Noise::normal, 5);
  int holds = 0;
  for (int study = 0; study < kStudies; ++study) {
    std::vector<double> pairs;
    for (const UnitDifference& unit :
         unit_differences(simulate(truth, draws), {"AnB", 1}, PairUnit::split_and_target)) {
      for (const Pair& pair : unit.pairs) pairs.push_back(pair.difference());
    }
    const IntervalEstimate estimate = estimate_mean(pairs);
    holds += std::abs(estimate.mean - truth.differences[0]) <= *estimate.half_width;
  }
  EXPECT_LT(1.0 * holds / kStudies, 0.85);
}

/// Shares of studies with one or more cuts wrongly called.
struct ErrorRates {
  double gain_or_loss = 0.0;  ///< of a true difference of 0
  double equivalent = 0.0;    ///< of a true difference as large as the margin
  double found = 0.0;         ///< of the true losses, those that are called losses
};

/// Cuts 1-2 differ by nothing, 3-4 by the margin, 5-6 lose much.
ErrorRates error_rates_of(Noise noise, double split_effect, int studies) {
  constexpr double kMargin = 0.02;
  const Truth truth{.differences = {0.0, 0.0, kMargin, -kMargin, -0.05, -0.08}, .split_effect = split_effect};
  Draws draws(noise, 20 + static_cast<std::uint64_t>(split_effect));
  ErrorRates rates;
  for (int study = 0; study < studies; ++study) {
    const auto observations = simulate(truth, draws);
    std::vector<std::vector<double>> family;
    for (int cut = 1; cut <= 6; ++cut) family.push_back(units_at(observations, cut));
    const auto decisions = decide_family(family, {.level = 0.95, .margin = kMargin});
    const auto is = [&](std::size_t i, Finding finding) { return decisions[i].finding == finding; };
    bool wrong = false;
    for (const std::size_t i : {0u, 1u}) wrong = wrong || is(i, Finding::gain) || is(i, Finding::loss);
    rates.gain_or_loss += wrong ? 1.0 / studies : 0.0;
    rates.equivalent += is(2, Finding::equivalent) || is(3, Finding::equivalent) ? 1.0 / studies : 0.0;
    for (const std::size_t i : {4u, 5u}) rates.found += is(i, Finding::loss) ? 0.5 / studies : 0.0;
  }
  return rates;
}

TEST(Coverage, VerdictsAreWrongNoMoreOftenThanStated) {
  const double limit = 0.05 + 3 * std::sqrt(0.05 * 0.95 / kStudies);
  for (const double split_effect : {0.0, 1.0, 2.0}) {
    const ErrorRates rates = error_rates_of(Noise::normal, split_effect, kStudies);
    const ErrorRates skewed = error_rates_of(Noise::skewed, split_effect, kStudies / 5);
    fmt::print(
        "split effect {} x seeds', of {} studies with 6 cuts: a cut without a difference called a gain or a loss "
        "in {:.1f}% (skewed noise {:.1f}%), one at the margin called the same in {:.1f}% ({:.1f}%); true losses "
        "found {:.0f}% ({:.0f}%)\n",
        split_effect, kStudies, 100 * rates.gain_or_loss, 100 * skewed.gain_or_loss, 100 * rates.equivalent,
        100 * skewed.equivalent, 100 * rates.found, 100 * skewed.found);
    EXPECT_LE(rates.gain_or_loss, limit) << "split effect " << split_effect;
    EXPECT_LE(rates.equivalent, limit) << "split effect " << split_effect;
    EXPECT_GT(rates.found, 0.2) << "a rule that finds nothing is never wrong";
  }
}

/// All six cuts without a difference: where Holm's correction has most to do. Without it more than a tenth of studies
/// would call one of them.
TEST(Coverage, HolmsCorrectionHoldsOverAllCuts) {
  const Truth truth{.differences = {0, 0, 0, 0, 0, 0}, .split_effect = 1.0};
  Draws draws(Noise::normal, 30);
  int wrong = 0;
  int wrong_alone = 0;
  for (int study = 0; study < kStudies; ++study) {
    const auto observations = simulate(truth, draws);
    std::vector<std::vector<double>> family;
    for (int cut = 1; cut <= 6; ++cut) family.push_back(units_at(observations, cut));
    bool any = false;
    bool any_alone = false;
    for (const Decision& decision : decide_family(family, {})) {
      any = any || decision.finding != Finding::not_shown;
      any_alone = any_alone || *decision.p <= 0.05;
    }
    wrong += any;
    wrong_alone += any_alone;
  }
  fmt::print("six cuts without a difference: one or more called in {:.1f}% of studies, without correction in {:.1f}%\n",
             100.0 * wrong / kStudies, 100.0 * wrong_alone / kStudies);
  EXPECT_LE(1.0 * wrong / kStudies, 0.05 + 3 * std::sqrt(0.05 * 0.95 / kStudies));
  EXPECT_GT(1.0 * wrong_alone / kStudies, 0.10);
}

}  // namespace
}  // namespace graft
