#include "transfer/report_verdicts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/transfer/study_fixture.h"
#include "transfer/report.h"
#include "transfer/verdict.h"

namespace graft {
namespace {

using ::testing::HasSubstr;

/// The demo: AnB loses .02 from cut 5 on, AnB+ gains .03 at cut 2, all give or take .001 between seeds. Frozen networks
/// take 2 s, others 8.
std::vector<RunResult> results_of(const Study& study) {
  std::vector<RunResult> results = testing::invented_results(testing::plan_of(study));
  for (RunResult& r : results) {
    r.train_loss = 0.4;
    r.top1 = 0.8;
    if (r.treatment != "base") r.top1 += 0.001 * (static_cast<double>(r.seed) - 1.0);
    if (r.treatment == "AnB" && r.cut >= 5) r.top1 -= 0.02;
    if (r.treatment == "AnB+" && r.cut == 2) r.top1 += 0.03;
    r.seconds = r.treatment == "AnB" ? 2.0 : 8.0;
  }
  return results;
}

TEST(ReportVerdicts, CutsAreJudgedTogetherAndOneIsRecommended) {
  const Study study = read_study(testing::shipped_study("fashion-mnist-clothing"));
  const std::string table = report_table(study, results_of(study));
  // sample deviation .001, n = 3: t = .02 / (.001 / sqrt(3)) = 34.64, p = .000832, times 6
  EXPECT_THAT(table, HasSubstr("AnB at 5: negative transfer: below base: -0.0200 ("));
  EXPECT_THAT(table, HasSubstr("AnB at 6: negative transfer: below base: -0.0200 ("));
  EXPECT_THAT(table, HasSubstr("Holm over 6 cuts, p 0.005)"));
  EXPECT_THAT(table, HasSubstr("3 seeds, for this split only"));
  EXPECT_THAT(table, HasSubstr("AnB+ at 2: transfers: above base: +0.0300"));
  EXPECT_THAT(table, HasSubstr("what to use\nAnB+ at cut 2, which transfers"));
  EXPECT_THAT(table, HasSubstr("8.0 s a network against 8.0 s for base"));
}

TEST(ReportVerdicts, AMarginOfTheStudySaysWhatDoesNotMatter) {
  Study study = read_study(testing::shipped_study("fashion-mnist-clothing"));
  std::vector<RunResult> results = results_of(study);
  for (RunResult& r : results) {
    if (r.treatment == "AnB+" && r.cut == 2) r.top1 -= 0.03;
  }
  study.margin = 0.01;
  const std::string text = report_verdicts(make_report_data(study, results));
  EXPECT_THAT(text, HasSubstr("AnB at 1, 2, 3, 4: does not matter: within 0.0100 of base"));
  EXPECT_THAT(text, HasSubstr("which does not matter"));
  EXPECT_THAT(text, HasSubstr("2.0 s a network against 8.0 s for base"));
}

TEST(ReportVerdicts, NetworksThatDidNotTrainDecideNothing) {
  const Study study = read_study(testing::shipped_study("fashion-mnist-clothing"));
  std::vector<RunResult> results = results_of(study);
  for (RunResult& r : results) {
    if (r.treatment != "AnB+" || r.cut != 2 || r.seed != 0) continue;
    r.train_loss = 1.609;
    r.top1 = 0.2;
  }
  const auto contrasts = contrasts_of(make_report_data(study, results));
  for (const Contrast& contrast : contrasts) {
    if (name_of(contrast) != "AnB+ - base" || contrast.arm.cut != 2) continue;
    EXPECT_EQ(contrast.untrained, 1);
    EXPECT_EQ(verdict_of(contrast), "not shown");
  }
}

TEST(ReportVerdicts, NothingBeforeThereIsAnything) {
  EXPECT_EQ(report_verdicts(make_report_data(read_study(testing::shipped_study("fashion-mnist-clothing")), {})), "");
}

}  // namespace
}  // namespace graft
