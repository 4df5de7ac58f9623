#include "transfer/class_audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/base/error.h"
#include "tests/transfer/study_fixture.h"
#include "transfer/report_page.h"

namespace graft {
namespace {

using ::testing::HasSubstr;
using testing::invented_results;
using ::testing::Not;
using testing::plan_of;
using testing::shipped_study;

constexpr std::int64_t kTested = 1000;

Study few() { return read_study(shipped_study("fashion-mnist-few-100")); }

Manifest manifest_of(const Study& study) {
  Manifest manifest;
  manifest.splits = {{"named", study.source_classes, study.target_classes, ""}};
  return manifest;
}

/// Five seeds of base and all arms; every network answers 800 of 1,000 of each class, AnB at cut 2 as `answers` says.
std::vector<RunResult> results_of(const Study& study, const std::vector<std::array<std::int64_t, 5>>& answers) {
  std::vector<RunResult> results = invented_results(plan_of(study));
  for (RunResult& run : results) {
    run.top1 = 0.8;
    run.train_loss = 0.1;
    run.by_class.assign(5, {800, kTested});
    if (run.target == "A") run.by_class.resize(study.source_classes.size(), {800, kTested});
    if (run.treatment != "AnB" || run.cut != 2) continue;
    for (std::size_t i = 0; i < 5; ++i) run.by_class[i][0] = answers.at(run.seed)[i];
  }
  return results;
}

const ArmAudit& find(const std::vector<ArmAudit>& audits, const std::string& treatment, int cut) {
  return *std::find_if(audits.begin(), audits.end(), [&](const ArmAudit& audit) {
    return audit.row.arm.treatment == treatment && audit.row.arm.cut == cut;
  });
}

const std::vector<std::array<std::int64_t, 5>> kAnswers{{850, 800, 700, 800, 850},
                                                        {850, 810, 710, 790, 840},
                                                        {860, 790, 690, 800, 860},
                                                        {850, 800, 700, 810, 840},
                                                        {840, 800, 700, 800, 860}};

TEST(ClassAudit, PairsEveryClassWithBase) {
  const Study study = few();
  const auto audits = audit_classes(make_report_data(study, results_of(study, kAnswers)), manifest_of(study));
  const ArmAudit& audit = find(audits, "AnB", 2);
  ASSERT_EQ(audit.classes.size(), 5);
  EXPECT_DOUBLE_EQ(audit.level, 0.99);
  const ClassEffect& worst = audit.classes.front();
  EXPECT_EQ(worst.name, study.target_classes[2]);
  EXPECT_NEAR(worst.base, 0.8, 1e-12);
  EXPECT_NEAR(worst.treated, 0.7, 1e-12);
  EXPECT_NEAR(worst.difference.mean, -0.1, 1e-12);
  EXPECT_EQ(worst.difference.units, 5);
  // Deviations 0, .01, -.01, 0, 0: s = sqrt(2e-4 / 4); t(0.995; 4) = 4.604095 from a table.
  ASSERT_TRUE(worst.difference.half_width);
  EXPECT_NEAR(*worst.difference.half_width, 4.604095 * std::sqrt(2e-4 / 4.0 / 5.0), 1e-8);
  EXPECT_TRUE(worst.loses());
  EXPECT_NEAR(audit.base_range()[1] - audit.base_range()[0], 0.0, 1e-12);
  EXPECT_NEAR(audit.treated_range()[0], 0.7, 1e-12);
  EXPECT_NEAR(audit.treated_range()[1], 0.85, 1e-12);
  EXPECT_TRUE(audit.hides_a_loss());
  EXPECT_FALSE(find(audits, "AnB+", 2).hides_a_loss());
}

TEST(ClassAudit, NothingIsHiddenWhereTheMeanIsShownToLose) {
  const Study study = few();
  std::vector<RunResult> results = results_of(study, kAnswers);
  for (RunResult& run : results) {
    if (run.treatment == "AnB" && run.cut == 2) run.top1 = 0.7 + 0.001 * static_cast<double>(run.seed);
  }
  const auto audits = audit_classes(make_report_data(study, results), manifest_of(study));
  EXPECT_FALSE(find(audits, "AnB", 2).hides_a_loss());
  EXPECT_TRUE(find(audits, "AnB", 2).classes.front().loses());
}

TEST(ClassAudit, LeavesOutWhatDidNotTrainAndWhatWasNotCounted) {
  const Study study = few();
  std::vector<RunResult> results = results_of(study, kAnswers);
  for (RunResult& run : results) {
    if (run.treatment != "AnB" || run.cut != 2) continue;
    if (run.seed == 0) run.train_loss = std::log(5.0);
    if (run.seed == 1) run.by_class.clear();
  }
  const auto audits = audit_classes(make_report_data(study, results), manifest_of(study));
  EXPECT_EQ(find(audits, "AnB", 2).classes.front().difference.units, 3);
}

TEST(ClassAudit, ThePageNamesTheClassThatTheMeanHides) {
  const Study study = few();
  const std::string text = class_section(make_report_data(study, results_of(study, kAnswers)), manifest_of(study));
  EXPECT_THAT(text, HasSubstr("AnB at cut 2: " + study.target_classes[2] + " <span class=\"below\">&minus;0.1000"));
  EXPECT_THAT(text, HasSubstr("Every class (5)"));
  EXPECT_THAT(text, HasSubstr("at 99%"));
  std::vector<RunResult> uncounted = results_of(study, kAnswers);
  for (RunResult& run : uncounted) run.by_class.clear();
  EXPECT_EQ(class_section(make_report_data(study, uncounted), manifest_of(study)), "");
}

TEST(ClassAudit, AClassWithASinglePairIsNoExtreme) {
  const Study study = few();
  std::vector<RunResult> results = results_of(study, kAnswers);
  for (RunResult& run : results) {
    if (run.treatment == "AnB" && run.cut == 2 && run.seed > 0) run.by_class[2] = {0, 0};
  }
  const std::string text = class_section(make_report_data(study, results), manifest_of(study));
  EXPECT_THAT(text, HasSubstr(">" + study.target_classes[2] + "</td>"));
  EXPECT_THAT(text, Not(HasSubstr(">" + study.target_classes[2] + " ")));
}

TEST(ClassAudit, ARecordThatDoesNotFitTheManifest) {
  const Study study = few();
  std::vector<RunResult> results = results_of(study, kAnswers);
  for (RunResult& run : results) run.by_class.resize(4);
  EXPECT_THROW(audit_classes(make_report_data(study, results), manifest_of(study)), Error);
}

}  // namespace
}  // namespace graft
