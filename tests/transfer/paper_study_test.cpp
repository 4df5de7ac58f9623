#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/io/sha256.h"
#include "tests/transfer/study_fixture.h"
#include "transfer/expected_data.h"
#include "transfer/plan_cost.h"
#include "transfer/splits.h"
#include "transfer/trainer.h"

// studies/yosinski2014.yaml: the lists of classes, and what is planned without ImageNet.
namespace graft::testing {
namespace {

/// The shipped study; its splits file is named from the repository's root.
Study paper() {
  const std::filesystem::path root = GRAFT_SOURCE_DIR;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(root);
  const Study study = read_study(root / "studies" / "yosinski2014.yaml");
  std::filesystem::current_path(before);
  return study;
}

std::string hash_of_classes(const std::vector<std::int64_t>& half, const std::vector<std::string>& names) {
  std::vector<std::string> chosen;
  for (const std::int64_t c : half) chosen.push_back(names.at(static_cast<std::size_t>(c)));
  return sha256_hex(fmt::format("{}", fmt::join(chosen, ","))).substr(0, 16);
}

/// The hashes are of NumPy's draws, RandomState([k]).choice(1000, 500, replace=False), and of the authors' two lists,
/// whose lists of validation images have the MD5 sums that stand in the authors' make_reduced_datasets.sh.
TEST(PaperStudy, HasTheAuthorsSplits) {
  const Study study = paper();
  const StudyData data = expected_data(study);
  const auto& names = data.target.train->class_names();
  ASSERT_EQ(names.size(), 1000u);
  EXPECT_EQ(names.front(), "n01440764");
  EXPECT_EQ(names.back(), "n15075141");
  const std::map<std::string, std::pair<std::string, std::string>> expected{
      {"random0", {"9bd8790648d26d99", "1d054a4d3e7ab7e2"}},
      {"random1", {"f1b4ebf0ce411fcb", "48a23dc6f1e61ebf"}},
      {"random2", {"2323a202dac53213", "22bf95febf4eb672"}},
      {"random3", {"5c7eadc233e98d12", "810110f2a16fc653"}},
      {"natural_manmade", {"cd39ee51a869680e", "ce6a3b40195e9317"}}};
  const std::vector<Split> splits = make_splits(study, names, names);
  ASSERT_EQ(splits.size(), expected.size());
  EXPECT_EQ(split_names(study).size(), expected.size());
  for (const Split& split : splits) {
    ASSERT_TRUE(expected.contains(split.name)) << split.name;
    EXPECT_EQ(hash_of_classes(split.source, names), expected.at(split.name).first) << split.name;
    EXPECT_EQ(hash_of_classes(split.target, names), expected.at(split.name).second) << split.name;
    EXPECT_EQ(split.source.size(), split.name == "natural_manmade" ? 449u : 500u);
    EXPECT_EQ(split.source.size() + split.target.size(), 1000u);
  }
}

TEST(PaperStudy, IsPlannedWithoutItsImages) {
  const Study study = paper();
  const StudyData data = expected_data(study);
  EXPECT_EQ(data.target.train->size(), 1281167);
  EXPECT_EQ(data.target.test->size(), 50000);
  EXPECT_EQ(data.target.train->item_shape(), (Shape{227, 227, 3}));
  std::vector<std::byte> image(data.target.train->item_bytes());
  EXPECT_THROW(data.target.train->read(0, image), Error);
  const Plan plan = make_plan(study, data, 7, {.device_kind = "avx2", .data_hash = "expected"});
  EXPECT_EQ(plan.runs.size(), 5u * 2 * (1 + 5 * 7));
  std::set<std::string> ids;
  for (const RunSpec& run : plan.runs) {
    EXPECT_TRUE(ids.insert(run.id).second);
    EXPECT_EQ(total_steps(training_of(study, run), 2500), 450000);
  }
  // Every arm has every half of every split.
  std::map<std::string, int> arms;
  for (const RunSpec& run : plan.runs) ++arms[fmt::format("{} {}", name_of(run.treatment), run.cut)];
  for (const auto& [arm, runs] : arms) EXPECT_EQ(runs, 10) << arm;
}

TEST(PaperStudy, TheScheduleIsCaffes) {
  const Study study = paper();
  const Schedule schedule = make_schedule(study.training, 2500);
  EXPECT_EQ(schedule.total_steps, 450000);
  for (const std::int64_t step : {0, 99999, 100000, 250000, 399999, 449999}) {
    double rate = 0.01;
    for (std::int64_t i = 0; i < step / 100000; ++i) rate *= 0.1;
    EXPECT_NEAR(schedule.at(step), rate, 1e-9 * rate) << step;
  }
}

TEST(PaperStudy, ASummaryAddsUpByTreatment) {
  const Study study = paper();
  const Plan plan = make_plan(study, expected_data(study), 7, {.device_kind = "avx2", .data_hash = "expected"});
  const auto cost = [](const RunSpec& run) {
    return RunCost{.flops = run.cut == 0 ? 7.2e15 : 3.6e15, .seconds = 0.0, .bytes = 1e8};
  };
  const std::string text = plan_summary(plan, cost, 1.0);  // 2 hours a base network, 1 hour every other
  for (const char* part : {"base", "10", "70", "360", "370", "1332.0 PFLOP", "36.0 GB for the weights of 360 runs"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

TEST(PaperStudy, WhatIsMissingIsNamed) {
  Study study = paper();
  study.expects.reset();
  EXPECT_THROW(expected_data(study), Error);
  study = read_study(shipped_study("fashion-mnist-clothing"));
  study.expects = {.train = 10, .test = 10};
  EXPECT_EQ(expected_data(study).target.train->class_names().size(), 10u);
}

}  // namespace
}  // namespace graft::testing
