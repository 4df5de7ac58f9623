#include "transfer/report_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/transfer/study_fixture.h"

namespace graft {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<std::string> kStages{"conv1", "conv2", "conv3", "conv4", "conv5", "fc1"};

/// The demo's summary if `treatment` differs from base by difference(cut), give or take `spread` between seeds.
template <class Difference>
ReportSummary summary_where(const std::string& treatment, Difference difference, double spread = 0.001) {
  const Study study = read_study(testing::shipped_study("fashion-mnist-clothing"));
  std::vector<RunResult> results = testing::invented_results(testing::plan_of(study));
  for (RunResult& r : results) {
    r.top1 = 0.8;
    r.train_loss = 0.4;
    const double jitter = spread * (static_cast<double>(r.seed) - 1.0);
    if (r.treatment != "base") r.top1 += jitter;
    if (r.treatment == treatment) r.top1 += difference(r.cut);
  }
  return summarize(make_report_data(study, results), kStages);
}

std::string joined(const ReportSummary& summary) {
  std::string text = summary.in_short;
  for (const std::string& sentence : summary.sentences) text += "\n" + sentence;
  return text;
}

TEST(ReportSummary, NamesTheCutUpToWhichFrozenLayersHold) {
  const auto summary = summary_where("AnB", [](int cut) { return cut <= 4 ? 0.0 : cut == 5 ? -0.02 : -0.1; });
  EXPECT_THAT(summary.in_short, HasSubstr("lose nothing that these runs can show up to cut 4 (conv4)"));
  EXPECT_THAT(summary.in_short, HasSubstr("At cuts 5, 6 they cost accuracy, most at cut 6 (fc1): \u221210.0 points."));
  // sample deviation .001, n = 3, the least p of six tests: half-width t(2, 1 - .05 / 12) * .001 / sqrt(3) = 10.886 *
  // .000577 = .0063
  EXPECT_THAT(joined(summary), HasSubstr("Accuracy falls at cuts 5, 6, most at cut 6 (fc1): \u221210.0 points (99.2% "
                                         "interval \u221210.6 to \u22129.4)."));
  EXPECT_THAT(joined(summary), HasSubstr("At cut 6 (fc1) AnB differs from BnB by \u221210.0 points"));
  EXPECT_THAT(joined(summary), HasSubstr("specific to the source classes"));
}

TEST(ReportSummary, AFallFromTheFirstCut) {
  const auto summary = summary_where("AnB", [](int) { return -0.05; });
  EXPECT_THAT(summary.in_short, HasSubstr("At cuts 1, 2, 3, 4, 5, 6 frozen layers of the other half cost accuracy"));
  EXPECT_THAT(joined(summary), HasSubstr("(AnB): accuracy falls at cuts 1, 2, 3, 4, 5, 6, most at cut"));
  EXPECT_THAT(summary.in_short, Not(HasSubstr("lose nothing")));
}

TEST(ReportSummary, ACutIsCalledAFallOnlyIfItsWholeIntervalIsBelow) {
  const Study study = read_study(testing::shipped_study("fashion-mnist-clothing"));
  std::vector<RunResult> results = testing::invented_results(testing::plan_of(study));
  for (RunResult& r : results) {
    r.top1 = 0.8;
    r.train_loss = 0.4;
    if (r.treatment != "AnB") continue;
    if (r.cut == 4) r.top1 -= 0.2 * static_cast<double>(r.seed);  // -.2 on average, but the interval spans zero
    if (r.cut == 6) r.top1 -= 0.1 + 0.001 * static_cast<double>(r.seed);
  }
  const auto summary = summarize(make_report_data(study, results), kStages);
  EXPECT_THAT(joined(summary), HasSubstr("At cut 6 (fc1) accuracy falls: \u221210.1 points (99.2% interval"));
  EXPECT_THAT(summary.in_short, HasSubstr("At cut 6 (fc1) they cost accuracy: \u221210.1 points."));
}

/// At each cut for itself the interval excludes zero (p = .03), over six cuts it does not (Holm: .18).
TEST(ReportSummary, SixSmallFallsAreNotShown) {
  const auto summary = summary_where("AnB", [](int) { return -0.0033; });
  EXPECT_THAT(summary.in_short, HasSubstr("lose nothing that these runs can show, at any cut"));
  EXPECT_THAT(joined(summary), HasSubstr("only where Holm's correction over all cuts leaves it"));
}

TEST(ReportSummary, NoFallAtAll) {
  const auto summary = summary_where("AnB", [](int) { return 0.0; });
  EXPECT_THAT(summary.in_short, HasSubstr("lose nothing that these runs can show, at any cut"));
  EXPECT_THAT(joined(summary), Not(HasSubstr("differs from BnB")));
  EXPECT_THAT(joined(summary), Not(HasSubstr("gain accuracy")));
  EXPECT_THAT(joined(summary), Not(HasSubstr("rises")));
}

TEST(ReportSummary, GainsAreNamedBesideTheLowestDifference) {
  const auto summary = summary_where("AnB", [](int cut) { return cut == 1 ? 0.0 : 0.01 * cut; });
  EXPECT_THAT(summary.in_short, HasSubstr("lose nothing that these runs can show, at any cut (lowest: +0.0 points"));
  EXPECT_THAT(summary.in_short,
              HasSubstr("At cuts 2, 3, 4, 5, 6 they gain accuracy, most at cut 6 (fc1): +6.0 points."));
  EXPECT_THAT(joined(summary),
              HasSubstr("the lowest difference is +0.0 points (95% interval \u22120.2 to +0.2) at cut 1 "
                        "(conv1). Accuracy rises at cuts 2, 3, 4, 5, 6, most at cut 6 (fc1): +6.0 "
                        "points (99.2% interval +5.4 to +6.6)."));
}

/// The study's margin is a point: a loss of .5 is shown and is not called one, and is not said to be none either.
TEST(ReportSummary, ALossWithinTheMarginIsNotCalledZero) {
  const auto small = summary_where(
      "AnB", [](int) { return -0.005; }, 0.0003);
  EXPECT_THAT(small.in_short, HasSubstr("lose nothing beyond the study's margin that these runs can show, at any cut"));
  EXPECT_THAT(joined(small), HasSubstr("(AnB): no loss against base beyond the study's margin is shown at any cut; the "
                                       "lowest difference is \u22120.5 points"));
  EXPECT_THAT(joined(small), HasSubstr("(BnB): no loss against base can be told from zero at any cut"));
  const auto before_a_fall = summary_where(
      "AnB", [](int cut) { return cut < 6 ? -0.005 : -0.1; }, 0.0003);
  EXPECT_THAT(before_a_fall.in_short, HasSubstr("beyond the study's margin that these runs can show up to cut 5"));
  EXPECT_THAT(joined(before_a_fall), HasSubstr("up to cut 5 (conv5) no loss against base beyond the study's margin is "
                                               "shown; there it is \u22120.5 points"));
}

TEST(ReportSummary, AGainAtOneCutAndAFallAtAnother) {
  const auto summary = summary_where("AnB", [](int cut) { return cut == 2 ? 0.03 : cut == 6 ? -0.1 : 0.0; });
  EXPECT_THAT(summary.in_short, HasSubstr("At cut 6 (fc1) they cost accuracy: \u221210.0 points. At cut 2 (conv2) they "
                                          "gain accuracy: +3.0 points."));
  EXPECT_THAT(joined(summary), HasSubstr("At cut 2 (conv2) accuracy rises: +3.0 points ("));
}

TEST(ReportSummary, FineTunedAboveLevelAndBelow) {
  EXPECT_THAT(summary_where("AnB+", [](int) { return 0.02; }).in_short,
              HasSubstr("they end above training anew (+2.0 points on average over cuts)"));
  EXPECT_THAT(summary_where("AnB+", [](int) { return 0.0; }).in_short,
              HasSubstr("cannot tell them from training anew"));
  EXPECT_THAT(summary_where("AnB+", [](int) { return -0.02; }).in_short, HasSubstr("still end below training anew"));
}

TEST(ReportSummary, ALossThatTheControlSharesIsNotTheSources) {
  const Study study = read_study(testing::shipped_study("fashion-mnist-clothing"));
  std::vector<RunResult> results = testing::invented_results(testing::plan_of(study));
  for (RunResult& r : results) {
    const bool frozen = r.treatment == "AnB" || r.treatment == "BnB";
    r.top1 =
        0.8 - (frozen && r.cut == 5 ? 0.05 : 0.0) + (r.treatment == "AnB" ? 0.001 * static_cast<double>(r.seed) : 0);
  }
  EXPECT_THAT(joined(summarize(make_report_data(study, results), kStages)),
              HasSubstr("the loss is not shown to come from the source classes"));
}

TEST(ReportSummary, SaysForWhichSplitItSpeaks) {
  EXPECT_THAT(joined(summary_where("AnB", [](int) { return 0.0; })), HasSubstr("for this split only"));
}

}  // namespace
}  // namespace graft
