#include "transfer/audit.h"

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

const ArmAudit& find(const Audit& audit, const std::string& treatment, int cut) {
  return *std::find_if(audit.arms.begin(), audit.arms.end(), [&](const ArmAudit& arm) {
    return arm.row.arm == Arm{treatment, cut};
  });
}

const std::vector<std::array<std::int64_t, 5>> kAnswers{{850, 800, 700, 800, 850},
                                                        {850, 810, 710, 790, 840},
                                                        {860, 790, 690, 800, 860},
                                                        {850, 800, 700, 810, 840},
                                                        {840, 800, 700, 800, 860}};

TEST(Audit, PairsEveryClassWithBase) {
  const Study study = few();
  const auto audits =
      audit_by(AuditBy::classes, make_report_data(study, results_of(study, kAnswers)), manifest_of(study));
  EXPECT_DOUBLE_EQ(audits.level, 0.99);
  EXPECT_EQ(audits.parts.size(), 5);
  const ArmAudit& audit = find(audits, "AnB", 2);
  ASSERT_EQ(audit.parts.size(), 5);
  EXPECT_EQ(audit.parts.front().name, study.target_classes[2]);
  EXPECT_EQ(audit.worst_part(), study.target_classes[2]);
  const Change& worst = audit.parts.front().accuracy;
  EXPECT_NEAR(worst.base, 0.8, 1e-12);
  EXPECT_NEAR(worst.treated, 0.7, 1e-12);
  EXPECT_NEAR(worst.difference.mean, -0.1, 1e-12);
  EXPECT_EQ(worst.difference.units, 5);
  // Deviations 0, .01, -.01, 0, 0: s = sqrt(2e-4 / 4); t(0.995; 4) = 4.604095 from a table.
  ASSERT_TRUE(worst.difference.half_width);
  EXPECT_NEAR(*worst.difference.half_width, 4.604095 * std::sqrt(2e-4 / 4.0 / 5.0), 1e-8);
  EXPECT_TRUE(worst.falls());
  EXPECT_TRUE(audit.hides_a_loss());
  EXPECT_FALSE(find(audits, "AnB+", 2).hides_a_loss());
}

TEST(Audit, NothingIsHiddenWhereTheMeanIsShownToLose) {
  const Study study = few();
  std::vector<RunResult> results = results_of(study, kAnswers);
  for (RunResult& run : results) {
    if (run.treatment == "AnB" && run.cut == 2) run.top1 = 0.7 + 0.001 * static_cast<double>(run.seed);
  }
  const auto audits = audit_by(AuditBy::classes, make_report_data(study, results), manifest_of(study));
  EXPECT_FALSE(find(audits, "AnB", 2).hides_a_loss());
  EXPECT_TRUE(find(audits, "AnB", 2).parts.front().accuracy.falls());
}

TEST(Audit, LeavesOutWhatDidNotTrainAndWhatWasNotCounted) {
  const Study study = few();
  std::vector<RunResult> results = results_of(study, kAnswers);
  for (RunResult& run : results) {
    if (run.treatment != "AnB" || run.cut != 2) continue;
    if (run.seed == 0) run.train_loss = std::log(5.0);
    if (run.seed == 1) run.by_class.clear();
  }
  const auto audits = audit_by(AuditBy::classes, make_report_data(study, results), manifest_of(study));
  EXPECT_EQ(find(audits, "AnB", 2).parts.front().accuracy.difference.units, 3);
}

TEST(Audit, ThePageNamesTheClassThatTheMeanHides) {
  const Study study = few();
  const std::string text =
      audit_section(AuditBy::classes, make_report_data(study, results_of(study, kAnswers)), manifest_of(study));
  EXPECT_THAT(text, HasSubstr("AnB at cut 2: " + study.target_classes[2] + " <span class=\"below\">&minus;0.1000"));
  EXPECT_THAT(text, HasSubstr("Every class (5)"));
  EXPECT_THAT(text, HasSubstr("at 99%"));
  std::vector<RunResult> uncounted = results_of(study, kAnswers);
  for (RunResult& run : uncounted) run.by_class.clear();
  EXPECT_EQ(audit_section(AuditBy::classes, make_report_data(study, uncounted), manifest_of(study)), "");
}

TEST(Audit, AClassWithASinglePairIsNoExtreme) {
  const Study study = few();
  std::vector<RunResult> results = results_of(study, kAnswers);
  for (RunResult& run : results) {
    if (run.treatment == "AnB" && run.cut == 2 && run.seed > 0) run.by_class[2] = {0, 0};
  }
  const std::string text = audit_section(AuditBy::classes, make_report_data(study, results), manifest_of(study));
  EXPECT_THAT(text, HasSubstr(">" + study.target_classes[2] + "</td>"));
  EXPECT_THAT(text, Not(HasSubstr(">" + study.target_classes[2] + " ")));
}

/// Every arm's counts become those of three subgroups of 500, 500 and 20 images; AnB at cut 2 as `answers` says.
std::vector<RunResult> with_subgroups(const Study& study, const std::vector<std::array<std::int64_t, 2>>& answers) {
  std::vector<RunResult> results = results_of(study, kAnswers);
  for (RunResult& run : results) {
    if (run.target == "A") continue;
    run.by_subgroup = {{400, 500}, {450, 500}, {10, 20}};
    if (run.treatment != "AnB" || run.cut != 2) continue;
    for (std::size_t i = 0; i < 2; ++i) run.by_subgroup[i][0] = answers.at(run.seed)[i];
  }
  return results;
}

Manifest with_subgroups(Manifest manifest) {
  manifest.subgroups = {.file = "light.csv", .names = {"dark", "light", "neither"}, .sha256 = "5555"};
  return manifest;
}

const std::vector<std::array<std::int64_t, 2>> kBySubgroup{{340, 455}, {345, 450}, {350, 460}, {345, 455}, {345, 455}};

TEST(Audit, BySubgroupTheWorstAndTheGapAreEachNetworksOwn) {
  const Study study = few();
  const Audit audit = audit_by(AuditBy::subgroups, make_report_data(study, with_subgroups(study, kBySubgroup)),
                               with_subgroups(manifest_of(study)));
  EXPECT_EQ(audit.parts, (std::vector<std::string>{"dark", "light"}));
  EXPECT_DOUBLE_EQ(audit.level, 0.975);
  ASSERT_EQ(audit.thin.size(), 1);
  EXPECT_EQ(audit.thin[0].name, "neither");
  EXPECT_EQ(audit.thin[0].images, 20);
  const ArmAudit& arm = find(audit, "AnB", 2);
  ASSERT_EQ(arm.parts.size(), 2);
  EXPECT_EQ(arm.worst_part(), "dark");
  // Differences of dark -.12, -.11, -.10, -.11, -.11, of light .01, 0, .02, .01, .01; of the gap their difference.
  EXPECT_NEAR(arm.worst.base, 0.8, 1e-12);
  EXPECT_NEAR(arm.worst.treated, 0.69, 1e-12);
  EXPECT_NEAR(arm.worst.difference.mean, -0.11, 1e-12);
  EXPECT_NEAR(audit.extremes_level, 1.0 - 0.05 / 6.0, 1e-12);
  // s = sqrt(2e-4 / 4); t(1 - 0.05 / 12; 4) = 4.851008 for six cuts, t(0.9875; 4) = 3.495406 for two subgroups,
  // integrated numerically elsewhere.
  EXPECT_NEAR(*arm.worst.difference.half_width, 4.851008 * std::sqrt(2e-4 / 4.0 / 5.0), 1e-8);
  EXPECT_NEAR(*arm.parts.front().accuracy.difference.half_width, 3.495406 * std::sqrt(2e-4 / 4.0 / 5.0), 1e-8);
  EXPECT_NEAR(arm.gap.base, 0.1, 1e-12);
  EXPECT_NEAR(arm.gap.treated, 0.22, 1e-12);
  EXPECT_NEAR(arm.gap.difference.mean, 0.12, 1e-12);
  // .13, .11, .12, .12, .12: the same spread.
  EXPECT_NEAR(*arm.gap.difference.half_width, 4.851008 * std::sqrt(2e-4 / 4.0 / 5.0), 1e-8);
  EXPECT_TRUE(arm.worst.falls());
  EXPECT_TRUE(arm.gap.rises());
  EXPECT_TRUE(arm.carries_over);
  EXPECT_FALSE(find(audit, "BnB", 2).carries_over);
  EXPECT_TRUE(arm.hides_a_loss());
}

TEST(Audit, ThePageSaysWhatASubgroupLosesAndWhatToDo) {
  const Study study = few();
  const ReportData data = make_report_data(study, with_subgroups(study, kBySubgroup));
  const Manifest manifest = with_subgroups(manifest_of(study));
  const std::string text = audit_section(AuditBy::subgroups, data, manifest);
  EXPECT_THAT(text, HasSubstr("<h2>By subgroup</h2>"));
  EXPECT_THAT(text, HasSubstr("AnB at cut 2: dark <span class=\"below\">&minus;0.1100"));
  EXPECT_THAT(text, HasSubstr("<b>AnB</b>: the worst subgroup falls at cut 2: 0.800 to 0.690"));
  EXPECT_THAT(text, HasSubstr("the gap between best and worst widens at cut 2: 0.100 to 0.220"));
  EXPECT_THAT(text, HasSubstr("<b>AnB+</b>: no change of the worst subgroup or of the gap"));
  EXPECT_THAT(text, HasSubstr("<b>What to do:</b> where every subgroup matters, keep to what is shown to lose none"));
  EXPECT_THAT(text, HasSubstr("fewer than 30, and left out: neither (20). Add test images of it."));
  EXPECT_THAT(audit_warning(AuditBy::subgroups, data, manifest, {"AnB", 2}),
              HasSubstr("it loses on the subgroup dark"));
  EXPECT_EQ(audit_warning(AuditBy::subgroups, data, manifest, {"AnB+", 2}), "");
  EXPECT_EQ(audit_warning(AuditBy::subgroups, data, manifest, {"base", 0}), "");
}

TEST(Audit, ThinSubgroupsAloneSayNothing) {
  const Study study = few();
  std::vector<RunResult> results = with_subgroups(study, kBySubgroup);
  for (RunResult& run : results) {
    if (run.target == "B") run.by_subgroup = {{10, 29}, {20, 25}, {0, 0}};
  }
  const std::string text =
      audit_section(AuditBy::subgroups, make_report_data(study, results), with_subgroups(manifest_of(study)));
  EXPECT_THAT(text, HasSubstr("left out: dark (29), light (25). Add test images of them."));
  EXPECT_THAT(text, Not(HasSubstr("<table>")));
}

TEST(Audit, ARecordThatDoesNotFitTheManifest) {
  const Study study = few();
  std::vector<RunResult> results = results_of(study, kAnswers);
  for (RunResult& run : results) run.by_class.resize(4);
  EXPECT_THROW(audit_by(AuditBy::classes, make_report_data(study, results), manifest_of(study)), Error);
  const ReportData data = make_report_data(study, with_subgroups(study, kBySubgroup));
  EXPECT_THROW(audit_by(AuditBy::subgroups, data, manifest_of(study)), Error);
}

}  // namespace
}  // namespace graft
