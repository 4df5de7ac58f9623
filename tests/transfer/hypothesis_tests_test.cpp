#include "transfer/hypothesis_tests.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "engine/base/error.h"
#include "transfer/bootstrap.h"
#include "transfer/statistics.h"

namespace graft {
namespace {

const std::vector<double> kUnits{0.012, -0.004, 0.031, 0.007, 0.002, 0.055, 0.009, -0.001, 0.018, 0.004, 0.026, 0.003};

// What SciPy 1.17.1 gives for kUnits: ttest_1samp, and the larger of two one-sided ttest_1samp.
TEST(HypothesisTests, PairedTAndEquivalenceAreSciPys) {
  EXPECT_NEAR(*t_test_p(kUnits), 0.0179925824730996, 1e-12);
  EXPECT_NEAR(*equivalence_p(kUnits, 0.03), 0.0029940425743645955, 1e-12);
  EXPECT_GT(*equivalence_p(kUnits, 0.005), 0.5) << "the mean itself lies beyond the margin";
  EXPECT_FALSE(t_test_p(std::vector<double>{0.1}).has_value());
  EXPECT_FALSE(equivalence_p(std::vector<double>{0.1}, 0.2).has_value());
  EXPECT_THROW(equivalence_p(kUnits, 0.0), Error);
}

TEST(HypothesisTests, UnitsWithoutSpread) {
  EXPECT_EQ(t_test_p(std::vector<double>{0.25, 0.25}), 0.0);
  EXPECT_EQ(t_test_p(std::vector<double>{0.0, 0.0}), 1.0);
  EXPECT_EQ(equivalence_p(std::vector<double>{0.25, 0.25}, 0.5), 0.0);
  EXPECT_EQ(equivalence_p(std::vector<double>{0.25, 0.25}, 0.125), 1.0);
  EXPECT_FALSE(units_to_halve(std::vector<double>{0.25, 0.25}, 0.95).has_value());
  EXPECT_FALSE(bca_interval(std::vector<double>{0.25, 0.25}).has_value());
}

// Holm 1979: the least p times m, the next times m - 1, never falling.
TEST(HypothesisTests, HolmsAdjustment) {
  const std::vector<double> p{0.01, 0.04, 0.03, 0.005};
  const std::vector<double> expected{0.03, 0.06, 0.06, 0.02};
  const auto adjusted = holm_adjusted(p);
  for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(adjusted[i], expected[i], 1e-15) << i;
  EXPECT_EQ(holm_adjusted(std::vector<double>{0.7, 0.8}), (std::vector<double>{1.0, 1.0}));
  EXPECT_TRUE(holm_adjusted({}).empty());
}

TEST(HypothesisTests, HolmsLevels) {
  // at .05: .005 and .01 are rejected at .05 / 4 and .05 / 3; .03 is not at .05 / 2, where the procedure stops
  const auto levels = holm_levels(std::vector<double>{0.01, 0.04, 0.03, 0.005}, 0.95);
  const std::vector<double> expected{1 - 0.05 / 3, 1 - 0.05 / 2, 1 - 0.05 / 2, 1 - 0.05 / 4};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(levels[i], expected[i], 1e-15) << i;
}

TEST(HypothesisTests, MoreUnitsThatHalveAnInterval) {
  // two units: t(1) / sqrt(2) = 8.985; three have t(2) / sqrt(3) = 2.484, less than half of it
  EXPECT_EQ(units_to_halve(std::vector<double>{0.0, 1.0}, 0.95), 1);
  // eight: 2.3646 / sqrt(8) = .8360; 24: .4223, 25: .4128
  EXPECT_EQ(units_to_halve(std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7}, 0.95), 17);
}

// scipy.stats.bootstrap, method BCa, on the resamples of this seed (tests/parity/contrasts.py draws them in Python).
TEST(Bootstrap, BcaIsSciPysOnTheSameResamples) {
  const auto interval = bca_interval(kUnits, {.level = 0.95, .resamples = 9999, .seed = 3});
  ASSERT_TRUE(interval.has_value());
  EXPECT_NEAR(interval->lo, 0.006333333333333333, 1e-12);
  EXPECT_NEAR(interval->hi, 0.02616666666666667, 1e-12);
  EXPECT_EQ(interval->resamples, 9999);
}

TEST(Bootstrap, IsAFunctionOfItsSeed) {
  const BootstrapOptions options{.level = 0.95, .resamples = 999, .seed = 3};
  EXPECT_EQ(bootstrap_means(kUnits, options), bootstrap_means(kUnits, options));
  EXPECT_NE(bootstrap_means(kUnits, options), bootstrap_means(kUnits, {.level = 0.95, .resamples = 999, .seed = 4}));
  const auto one = bca_interval(kUnits, options);
  const auto moved = bca_interval(std::vector<double>(kUnits.rbegin(), kUnits.rend()), options);
  EXPECT_NE(one->lo, moved->lo) << "which unit a draw takes goes by its place";
  EXPECT_LT(one->lo, estimate_mean(kUnits).mean);
  EXPECT_GT(one->hi, estimate_mean(kUnits).mean);
}

}  // namespace
}  // namespace graft
