#include "transfer/contrast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "transfer/recommendation.h"
#include "transfer/run_table.h"
#include "transfer/verdict.h"

namespace graft {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<Contrast> published(const ContrastOptions& options = {}) {
  const std::string file = std::string(GRAFT_SOURCE_DIR) + "/studies/reference/yosinski2014_runs.csv";
  return contrasts_of(read_run_table(file).observations(), options);
}

const Contrast& find(const std::vector<Contrast>& contrasts, const std::string& name, int cut,
                     const std::string& group = "random") {
  for (const Contrast& contrast : contrasts) {
    if (name_of(contrast) == name && contrast.arm.cut == cut && contrast.group == group) return contrast;
  }
  throw std::out_of_range(name + " of " + group);
}

/// AnB at cut 1 against base on the B halves of `differences.size()` random splits.
std::vector<Observation> splits_with(const std::vector<double>& differences, int cut = 1) {
  std::vector<Observation> observations;
  for (std::size_t i = 0; i < differences.size(); ++i) {
    const std::string split = "random" + std::to_string(i);
    observations.push_back({"base", 0, split, "B", 0, 0.7, "B"});
    observations.push_back({"AnB", cut, split, "B", 0, 0.7 + differences[i], "A"});
  }
  return observations;
}

Contrast only(const std::vector<double>& differences, const DecisionRule& rule = {}) {
  return contrasts_of(splits_with(differences), {.rule = rule}).at(0);
}

/// A probe tells what a stage holds: it has its numbers against base, but no part in what to carry over.
TEST(Contrasts, AProbeIsNoVerdictAboutTransfer) {
  for (const std::string label : {"probe", "probe bn-batch", "probed"}) {
    std::vector<Observation> observations = splits_with({0.10, 0.11, 0.12});
    for (Observation& o : observations) {
      if (o.treatment == "AnB") o.treatment = label;
    }
    const std::vector<Contrast> contrasts = contrasts_of(observations, {});
    ASSERT_EQ(contrasts.size(), 1u);
    EXPECT_EQ(contrasts[0].finding(), Finding::gain);
    EXPECT_EQ(contrasts[0].carries_over, label == "probed");
    EXPECT_EQ(recommend(contrasts, {}).empty(), label != "probed");
  }
}

TEST(SplitGroups, PoolWhatDiffersInATrailingNumberOnly) {
  std::vector<Observation> observations;
  for (const char* split : {"random0", "natural_manmade", "random11", "imagenet1000", "random0", "7", "8"}) {
    observations.push_back({"base", 0, split, "B", observations.size(), 0.5});
  }
  const auto groups = split_groups(observations);
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(groups[0].name, "random");
  EXPECT_THAT(groups[0].splits, ElementsAre("random0", "random11"));
  EXPECT_EQ(groups[0].unit, PairUnit::split_and_target);
  EXPECT_EQ(groups[0].observations.size(), 3u);
  EXPECT_EQ(groups[1].name, "natural_manmade");
  EXPECT_EQ(groups[1].unit, PairUnit::seed);
  EXPECT_EQ(groups[2].name, "imagenet1000") << "alone it keeps its number";
  EXPECT_EQ(groups[2].unit, PairUnit::seed);
  EXPECT_EQ(groups[3].name, "7, 8");
}

TEST(Contrasts, ArmsOfDifferentTargetHalvesAreRefused) {
  const auto contrasts = published();
  for (int cut = 1; cut <= 7; ++cut) {
    const Contrast& contrast = find(contrasts, "AnB+ - BnB+", cut);
    EXPECT_TRUE(contrast.refused());
    EXPECT_EQ(contrast.pairs, 0);
    EXPECT_EQ(contrast.difference.units, 0);
    EXPECT_EQ(verdict_of(contrast), "refused");
  }
  EXPECT_EQ(find(contrasts, "AnB+ - BnB+", 3).refusal,
            "no common pair: AnB+ was tested only on random0/B, random1/B, BnB+ only on random0/A, random1/A");
  for (const Contrast& contrast : contrasts) EXPECT_EQ(contrast.refused(), name_of(contrast) == "AnB+ - BnB+");
}

TEST(Contrasts, ArmsOfDifferentSeedsAreRefusedByTheirSeeds) {
  const std::vector<Observation> observations{{"base", 0, "s", "B", 0, 0.7}, {"AnB", 1, "s", "B", 1, 0.6}};
  EXPECT_EQ(contrasts_of(observations).at(0).refusal,
            "no common pair: AnB was tested only on s/B seed 1, base only on s/B seed 0");
  EXPECT_EQ(contrasts_of({&observations[1], 1}).at(0).refusal, "no base network to compare with");
}

TEST(Contrasts, DecompositionOfThePublishedRuns) {
  const auto contrasts = published();
  EXPECT_STREQ(role_of(find(contrasts, "BnB - base", 5))->name, "fragile co-adaptation");
  EXPECT_STREQ(role_of(find(contrasts, "AnB - BnB", 5))->name, "specificity");
  EXPECT_STREQ(role_of(find(contrasts, "BnB+ - BnB", 5))->name, "recovery");
  EXPECT_STREQ(role_of(find(contrasts, "AnB+ - BnB+", 5))->name, "transfer gain");
  EXPECT_EQ(role_of(find(contrasts, "AnB - base", 5)), nullptr);
  // the middle cut breaks co-adaptation, the last does not and is all specificity
  EXPECT_EQ(find(contrasts, "BnB - base", 5).finding(), Finding::loss);
  EXPECT_EQ(find(contrasts, "BnB - base", 7).finding(), Finding::not_shown);
  EXPECT_EQ(find(contrasts, "AnB - BnB", 7).finding(), Finding::loss);
  EXPECT_EQ(find(contrasts, "BnB+ - BnB", 5).finding(), Finding::gain);
}

TEST(Contrasts, OneUnitGivesAMeanAndNoInterval) {
  const auto contrasts = published();
  const Contrast& contrast = find(contrasts, "AnB - base", 4, "natural_manmade");
  EXPECT_EQ(contrast.pairs, 2);
  EXPECT_EQ(contrast.difference.units, 1);
  EXPECT_NEAR(contrast.difference.mean, ((0.461626 - 0.537244) + (0.5823855 - 0.6533991)) / 2, 1e-12);
  EXPECT_FALSE(contrast.difference.half_width.has_value());
  EXPECT_EQ(verdict_of(contrast), "not shown");
  EXPECT_EQ(reason_of(contrast, {}), "one unit gives no interval: 1 seed, for this split only");
}

TEST(Contrasts, BcaStandsBesideFromTwelveUnitsOn) {
  std::vector<double> differences{0.01, -0.02, 0.03, 0.01, 0.0, 0.05, 0.01, 0.02, -0.01, 0.01, 0.02};
  EXPECT_FALSE(only(differences).bootstrap.has_value());
  differences.push_back(0.04);
  const Contrast contrast = only(differences);
  ASSERT_TRUE(contrast.bootstrap.has_value());
  EXPECT_EQ(contrast.bootstrap->resamples, 9999);
  EXPECT_LT(contrast.bootstrap->lo, contrast.difference.mean);
  EXPECT_GT(contrast.bootstrap->hi, contrast.difference.mean);
}

TEST(Verdicts, OfCarriedLayersAgainstBase) {
  const DecisionRule rule{.level = 0.95, .margin = 0.01};
  EXPECT_EQ(verdict_of(only({0.030, 0.031, 0.032}, rule)), "transfers");
  EXPECT_EQ(verdict_of(only({-0.030, -0.031, -0.032}, rule)), "negative transfer");
  EXPECT_EQ(verdict_of(only({-0.001, 0.001, 0.0005}, rule)), "does not matter");
  EXPECT_EQ(verdict_of(only({-0.1, 0.1, 0.05}, rule)), "not shown");
  EXPECT_EQ(verdict_of(only({-0.001, 0.001, 0.0005})), "not shown") << "without a margin";
  const Contrast small = only({0.0030, 0.0031, 0.0032}, rule);
  EXPECT_EQ(verdict_of(small), "does not matter") << "though it is a gain";
  EXPECT_THAT(reason_of(small, rule), HasSubstr("a gain of that size is shown"));
  EXPECT_THAT(reason_of(only({-0.1, 0.1, 0.05}, rule), rule), HasSubstr("reaches beyond the margin of 0.0100"));
}

TEST(Verdicts, NameTheUnitsThatGoTheOtherWay) {
  const Contrast contrast = only({0.02, 0.021, 0.019, 0.022, -0.001, 0.02, 0.018, 0.021});
  EXPECT_EQ(verdict_of(contrast), "transfers");
  EXPECT_THAT(reason_of(contrast, {}),
              HasSubstr("8 target halves of splits; 1 of 8 units the other way: random4/B -0.0010"));
  const auto contrasts = published();
  EXPECT_THAT(wrong_way_units(find(contrasts, "AnB - base", 1)), ElementsAre("random0/B -0.0014", "random1/B -0.0004"));
  EXPECT_THAT(wrong_way_units(find(contrasts, "AnB - base", 5)), ElementsAre());
}

TEST(Verdicts, ASignThatTheDecompositionDoesNotExpectIsNamed) {
  std::vector<Observation> observations = splits_with({0.03, 0.031, 0.032});
  for (Observation& o : observations) {
    if (o.treatment == "AnB") o = {"BnB", o.cut, o.split, "B", 0, o.top1, "B"};
  }
  const Contrast contrast = contrasts_of(observations).at(0);
  EXPECT_EQ(verdict_of(contrast), "gain");
  EXPECT_EQ(wrong_way_role(contrast), "wrong way for fragile co-adaptation, which is expected to be a loss");
}

TEST(Verdicts, AreCorrectedOverCuts) {
  // p = .045: shown alone, not beside six other cuts of which nothing is known
  const std::vector<double> clear{0.01, 0.02, 0.012};
  EXPECT_EQ(verdict_of(only(clear)), "transfers");
  std::vector<Observation> observations = splits_with(clear);
  for (int cut = 2; cut <= 7; ++cut) {
    for (const Observation& o : splits_with({-0.01, 0.012, 0.001}, cut)) {
      if (o.treatment == "AnB") observations.push_back(o);
    }
  }
  const auto contrasts = contrasts_of(observations);
  EXPECT_EQ(contrasts.at(0).decision.family, 7);
  EXPECT_NEAR(*contrasts[0].decision.p_holm, 7 * *contrasts[0].decision.p, 1e-12);
  EXPECT_EQ(verdict_of(contrasts[0]), "not shown");
}

TEST(Verdicts, ThatHangOnNetworksThatDidNotTrainAreNotShown) {
  std::vector<Observation> observations = splits_with({0.03, 0.031, 0.032, -0.6});
  observations.back().trained = false;
  const Contrast contrast = contrasts_of(observations).at(0);
  EXPECT_EQ(contrast.untrained, 1);
  EXPECT_NEAR(contrast.difference.mean, (0.093 - 0.6) / 4, 1e-12);
  EXPECT_NEAR(contrast.trained_difference.mean, 0.031, 1e-12);
  EXPECT_EQ(verdict_of(contrast), "not shown");
  EXPECT_EQ(reason_of(contrast, {}), "it hangs on 1 network that did not train: with it not shown, without gain");
}

TEST(Verdicts, NameDifferentBudgets) {
  const auto contrasts = published();
  EXPECT_THAT(reason_of(find(contrasts, "reduced250 - base", 0, "imagenet1000"), {}),
              HasSubstr("trained for 200000 iterations, base for 450000"));
  EXPECT_THAT(reason_of(find(contrasts, "AnB - base", 1), {}), Not(HasSubstr("iterations")));
}

TEST(Precision, SeedsAndTestImagesBesideUnits) {
  std::vector<Observation> observations;
  // two halves, differences .02 and .06 on average; seeds lie .01 to both sides: their pooled deviation is .01 sqrt 2
  for (const auto& [split, difference] : {std::pair{"random0", 0.02}, std::pair{"random1", 0.06}}) {
    for (const std::uint64_t seed : {0u, 1u}) {
      const double jitter = seed == 0 ? 0.01 : -0.01;
      observations.push_back({"base", 0, split, "B", seed, 0.5, "B", 100});
      observations.push_back({"AnB", 1, split, "B", seed, 0.5 + difference + jitter, "A", 100});
    }
  }
  const Precision precision = contrasts_of(observations).at(0).precision;
  EXPECT_NEAR(*precision.standard_error, 0.02, 1e-12);
  EXPECT_NEAR(*precision.seed_deviation, 0.01 * std::sqrt(2.0), 1e-12);
  // of the units' variance .0008 seeds give .0002 / 2
  EXPECT_NEAR(*precision.endless_seeds_half_width, t_quantile(0.95, 1) * std::sqrt(0.0007 / 2), 1e-12);
  // about sqrt((.25 + .25) / 100 / 2)
  const double halves =
      (0.25 + 0.53 * 0.47 + 0.25 + 0.51 * 0.49) / 200 + (0.25 + 0.57 * 0.43 + 0.25 + 0.55 * 0.45) / 200;
  EXPECT_NEAR(*precision.test_set_error, std::sqrt(halves) / 2, 1e-12);
  EXPECT_EQ(precision.units_to_halve, 1);
  EXPECT_FALSE(only({0.1, 0.2}).precision.test_set_error.has_value());
  EXPECT_FALSE(only({0.1, 0.2}).precision.seed_deviation.has_value());
}

/// AnB and AnB+ at cuts 1 and 2: each a mean with a little spread over four splits.
std::vector<Contrast> arms(double anb1, double anb2, double plus1, double plus2, const DecisionRule& rule) {
  std::vector<Observation> observations;
  for (int i = 0; i < 4; ++i) {
    const std::string split = "random" + std::to_string(i);
    const double jitter = 0.0002 * i;
    observations.push_back({"base", 0, split, "B", 0, 0.7, "B"});
    observations.push_back({"AnB", 1, split, "B", 0, 0.7 + anb1 + jitter, "A"});
    observations.push_back({"AnB", 2, split, "B", 0, 0.7 + anb2 + jitter, "A"});
    observations.push_back({"AnB+", 1, split, "B", 0, 0.7 + plus1 + jitter, "A"});
    observations.push_back({"AnB+", 2, split, "B", 0, 0.7 + plus2 + jitter, "A"});
  }
  return contrasts_of(observations, {.rule = rule});
}

TEST(Recommendation, TheGainWithTheHighestLowerEnd) {
  const DecisionRule rule{.level = 0.95, .margin = 0.005};
  const auto contrasts = arms(-0.03, -0.05, 0.02, 0.03, rule);
  const auto chosen = recommend(contrasts, rule);
  ASSERT_EQ(chosen.size(), 1u);
  EXPECT_EQ(chosen[0].arm, (Arm{"AnB+", 2}));
  EXPECT_THAT(chosen[0].text(rule), HasSubstr("AnB+ at cut 2, which transfers: above base: +0.0303"));
}

TEST(Recommendation, ACheaperArmWithinTheMarginOfTheBest) {
  const DecisionRule rule{.level = 0.95, .margin = 0.005};
  const auto contrasts = arms(-0.03, 0.028, 0.02, 0.03, rule);
  const std::vector<ArmCost> costs{{{"base", 0}, 10.0}, {{"AnB", 2}, 4.0}, {{"AnB+", 1}, 2.0}, {{"AnB+", 2}, 9.0}};
  const auto chosen = recommend(contrasts, rule, costs);
  EXPECT_EQ(chosen.at(0).arm, (Arm{"AnB", 2})) << "AnB+ at 1 is cheaper yet, but worse by more than the margin";
  EXPECT_THAT(chosen[0].text(rule), HasSubstr("4.0 s a network against 10.0 s for base"));
}

TEST(Recommendation, WhatDoesNotMatterSavesTraining) {
  const DecisionRule rule{.level = 0.95, .margin = 0.005};
  EXPECT_EQ(recommend(arms(0.0, 0.001, 0.0, 0.0, rule), rule).at(0).arm, (Arm{"AnB", 2}));
  EXPECT_EQ(recommend(arms(0.0, -0.04, 0.0, 0.0, rule), rule).at(0).arm, (Arm{"AnB", 1}));
}

TEST(Recommendation, BaseWhereNothingIsShown) {
  const auto losses = arms(-0.03, -0.05, -0.02, -0.02, {});
  const auto chosen = recommend(losses, {});
  EXPECT_EQ(chosen.at(0).arm, (Arm{"base", 0}));
  EXPECT_EQ(chosen[0].evidence, nullptr);
  EXPECT_THAT(chosen[0].text({}), HasSubstr("train anew (base)"));
  const auto contrasts = published();
  const auto of_published = recommend(contrasts, {});
  ASSERT_EQ(of_published.size(), 2u) << "random and natural_manmade carry layers over, imagenet1000 does not";
  EXPECT_EQ(of_published[0].arm, (Arm{"AnB", 1}));
  EXPECT_EQ(of_published[0].undecided.front()->arm, (Arm{"AnB+", 3}));
  EXPECT_EQ(of_published[1].arm, (Arm{"base", 0}));
}

}  // namespace
}  // namespace graft
