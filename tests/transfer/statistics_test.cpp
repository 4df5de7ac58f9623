#include "transfer/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "transfer/run_table.h"

namespace graft {
namespace {

/// Networks of Yosinski et al. 2014.
RunTable published() {
  return read_run_table(std::string(GRAFT_SOURCE_DIR) + "/studies/reference/yosinski2014_runs.csv");
}

std::vector<Observation> random_halves() {
  std::vector<Observation> observations;
  for (const Observation& o : published().observations()) {
    if (o.split.starts_with("random")) observations.push_back(o);
  }
  return observations;
}

/// Published with four decimals: half a unit of the last.
constexpr double kRounding = 0.5e-4;

struct Fact {
  const char* treatment;
  int cut;
  std::int64_t pairs;
  double mean;
  double half_width;
};

TEST(Statistics, ReproducesFactsOfYosinski2014) {
  const auto observations = random_halves();
  ASSERT_EQ(observations.size(), 8u + 7 * (4 + 8) + 10 + 10);
  EXPECT_EQ(unit_of(observations), PairUnit::split_and_target);
  const Fact facts[] = {{"BnB", 1, 4, 0.0035, 0.0053}, {"BnB", 4, 4, -0.0185, 0.0030}, {"BnB", 5, 4, -0.0297, 0.0030},
                        {"AnB", 1, 8, 0.0031, 0.0025}, {"AnB", 4, 8, -0.0253, 0.0031}, {"AnB", 5, 8, -0.0471, 0.0024}};
  for (const Fact& fact : facts) {
    SCOPED_TRACE(std::string(fact.treatment) + " at " + std::to_string(fact.cut));
    const auto result = paired_difference(observations, {fact.treatment, fact.cut}, PairUnit::split_and_target);
    EXPECT_EQ(result.pairs, fact.pairs);
    EXPECT_EQ(result.difference.units, fact.pairs);
    EXPECT_NEAR(result.difference.mean, fact.mean, kRounding);
    ASSERT_TRUE(result.difference.half_width.has_value());
    EXPECT_NEAR(*result.difference.half_width, fact.half_width, kRounding);
  }
}

TEST(Statistics, PublishedNetworksThatDidNotTrain) {
  std::vector<std::string> untrained;
  for (const TableRun& run : published().runs) {
    if (!run.untrained.empty()) untrained.push_back(run.run);
  }
  const std::vector<std::string> expected{"nolearn_1_3",  "reduced-0005", "reduced-0010",
                                          "reduced-0025", "reduced-0050", "reduced-0100"};
  EXPECT_EQ(untrained, expected);
}

TEST(Statistics, QuantilesOfStudentsT) {
  // Abramowitz and Stegun, table 26.10, three decimals
  EXPECT_NEAR(t_quantile(0.95, 1), 12.706, 5e-4);
  EXPECT_NEAR(t_quantile(0.95, 2), 4.303, 5e-4);
  EXPECT_NEAR(t_quantile(0.95, 3), 3.182, 5e-4);
  EXPECT_NEAR(t_quantile(0.95, 7), 2.365, 5e-4);
  EXPECT_NEAR(t_quantile(0.99, 10), 3.169, 5e-4);
  EXPECT_NEAR(t_quantile(0.95, 1000000), 1.960, 5e-4);
}

TEST(Statistics, IntervalOfKnownNumbers) {
  const std::vector<double> values{1.0, 2.0, 3.0};  // deviation 1, standard error 1/sqrt(3)
  const auto estimate = estimate_mean(values);
  EXPECT_DOUBLE_EQ(estimate.mean, 2.0);
  EXPECT_NEAR(*estimate.half_width, 4.302653 / std::sqrt(3.0), 1e-6);
  EXPECT_EQ(text_of({.units = 3, .mean = -0.0253, .half_width = 0.0031}), "-0.0253 +/- 0.0031");
}

TEST(Statistics, TooFewPairsGiveNoNumber) {
  const std::vector<Observation> one{{"base", 0, "named", "B", 0, 0.8}, {"AnB", 1, "named", "B", 0, 0.7}};
  const auto result = paired_difference(one, {"AnB", 1}, PairUnit::seed);
  EXPECT_EQ(result.pairs, 1);
  EXPECT_FALSE(result.difference.half_width.has_value());
  EXPECT_EQ(text_of(result.difference), "not enough pairs");
  EXPECT_EQ(text_of(paired_difference(one, {"AnB", 2}, PairUnit::seed).difference), "not enough pairs");
}

TEST(Statistics, PairsNeedTheSameSplitTargetAndSeed) {
  const std::vector<Observation> observations{{"base", 0, "named", "B", 0, 0.80}, {"base", 0, "named", "B", 1, 0.90},
                                              {"base", 0, "named", "A", 2, 0.10}, {"AnB", 1, "named", "B", 0, 0.79},
                                              {"AnB", 1, "named", "B", 1, 0.87},  {"AnB", 1, "named", "B", 2, 0.50},
                                              {"AnB", 1, "random0", "B", 0, 0.1}};
  const auto result = paired_difference(observations, {"AnB", 1}, PairUnit::seed);
  EXPECT_EQ(result.pairs, 2);
  EXPECT_NEAR(result.difference.mean, -0.02, 1e-15);
  // differences -0.01 and -0.03: deviation 0.02 / sqrt(2), standard error 0.01
  EXPECT_NEAR(*result.difference.half_width, 12.7062047 * 0.01, 1e-8);
}

TEST(Statistics, SeedsOfAHalfAreAveragedFirst) {
  std::vector<Observation> observations;
  // Two halves whose differences are -0.02 and -0.06; within each the seeds lie 0.01 to both sides.
  for (const auto& [split, difference] : {std::pair{"random0", -0.02}, std::pair{"random1", -0.06}}) {
    for (const std::uint64_t seed : {0u, 1u}) {
      observations.push_back({"base", 0, split, "B", seed, 0.8});
      observations.push_back({"AnB", 1, split, "B", seed, 0.8 + difference + (seed == 0 ? 0.01 : -0.01)});
    }
  }
  const auto result = paired_difference(observations, {"AnB", 1}, unit_of(observations));
  EXPECT_EQ(result.pairs, 4);
  EXPECT_EQ(result.difference.units, 2);
  EXPECT_NEAR(result.difference.mean, -0.04, 1e-15);
  EXPECT_NEAR(*result.difference.half_width, 12.7062047 * 0.02, 1e-8);
}

TEST(Statistics, DifferenceOverCuts) {
  std::vector<Observation> observations;
  for (const std::uint64_t seed : {0u, 1u}) {
    observations.push_back({"base", 0, "named", "B", seed, 0.8});
    observations.push_back({"AnB+", 1, "named", "B", seed, 0.81});
    observations.push_back({"AnB+", 2, "named", "B", seed, seed == 0 ? 0.83 : 0.85});
  }
  const std::vector<int> cuts{1, 2};
  const auto result = difference_over_cuts(observations, "AnB+", cuts, PairUnit::seed);
  EXPECT_EQ(result.pairs, 4);
  EXPECT_EQ(result.difference.units, 2);
  EXPECT_NEAR(result.difference.mean, 0.025, 1e-15);  // units .02 and .03
  EXPECT_NEAR(*result.difference.half_width, 12.7062047 * 0.005, 1e-8);
}

TEST(Statistics, ArmMean) {
  const auto observations = random_halves();
  const ArmMean base = arm_mean(observations, {"base", 0});
  EXPECT_EQ(base.runs, 8);
  EXPECT_NEAR(base.mean, 5.000811 / 8, 1e-12);
  EXPECT_DOUBLE_EQ(base.lowest, 0.6151);
  EXPECT_DOUBLE_EQ(base.highest, 0.6340832);
  EXPECT_EQ(arm_mean(observations, {"AnB", 8}).runs, 0);
}

TEST(Statistics, DidNotTrainByLossOrByAccuracy) {
  const double guessing = std::log(5.0);
  EXPECT_EQ(did_not_train(0.4, 0.8, 5000, 5), "");
  EXPECT_NE(did_not_train(guessing, 0.8, 5000, 5), "");
  EXPECT_NE(did_not_train(guessing - 0.049, 0.8, 5000, 5), "");
  EXPECT_EQ(did_not_train(guessing - 0.051, 0.8, 5000, 5), "");
  EXPECT_NE(did_not_train(guessing + 5.0, 0.8, 5000, 5), "");
  EXPECT_NE(did_not_train(std::numeric_limits<double>::quiet_NaN(), 0.8, 5000, 5), "");
  // three standard errors above chance: .2 + 3 sqrt(.2 * .8 / 5000) = .21697
  EXPECT_NE(did_not_train(0.4, 0.2169, 5000, 5), "");
  EXPECT_EQ(did_not_train(0.4, 0.2171, 5000, 5), "");
  EXPECT_NE(did_not_train(0.4, 0.0, 5000, 5), "");
  EXPECT_EQ(did_not_train(0.4, 0.0, 0, 5), "") << "how many images it was tested on is not known";
}

}  // namespace
}  // namespace graft
