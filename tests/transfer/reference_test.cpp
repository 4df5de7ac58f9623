#include "transfer/reference.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "tests/transfer/study_fixture.h"
#include "transfer/figure.h"
#include "transfer/figure_reference.h"
#include "transfer/report.h"
#include "transfer/report_page.h"
#include "transfer/run_table.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

const fs::path kReferences = fs::path(GRAFT_SOURCE_DIR) / "studies" / "reference";
const std::string kClothing = (kReferences / "fashion_mnist_clothing.csv").string();

/// A folder of the demo with invented results.
class Reference : public ::testing::Test {
 protected:
  Reference() {
    const Plan plan = plan_of(read_study(shipped_study("fashion-mnist-clothing")));
    write_results_folder(folder_.path(), "fashion-mnist-clothing", invented_results(plan));
  }
  ReportData data_with(const std::optional<ReferenceRuns>& runs) const {
    ReportData data = make_report_data(read_study(folder_.path() / "study.yaml"), read_results(folder_.path()));
    data.reference = runs;
    return data;
  }
  std::string message_of(const ReferenceTable& table) const {
    try {
      keep_reference(table, folder_.path() / "study.yaml", folder_.path());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      return error.what();
    }
    return "";
  }

  TemporaryFolder folder_;
};

/// Two seeds an arm, without BnB+.
TEST_F(Reference, ATableOfOneSplitIsDrawnBesideTheDemo) {
  keep_reference({.file = kClothing, .source = "PyTorch & co", .splits = {}}, "", folder_.path());
  EXPECT_EQ(read_text(reference_path(folder_.path())), read_text(kClothing));
  const auto runs = reference_runs(read_manifest(folder_.path()), folder_.path(), "named", true);
  ASSERT_TRUE(runs.has_value());
  EXPECT_EQ(runs->observations.size(), 50u);
  const ReportData data = data_with(runs);
  const auto arms = reference_arms(data);
  ASSERT_EQ(arms.size(), 1u + 4 * 6);  // BnB+ is not in the table
  double sum = 0.0;
  int count = 0;
  for (const Observation& o : runs->observations) {
    if (o.treatment != "AnB" || o.cut != 5) continue;
    sum += o.top1;
    ++count;
  }
  ASSERT_EQ(count, 2);
  for (const ReferenceArm& arm : arms) {
    EXPECT_EQ(arm.mean.runs, 2) << arm.arm.treatment;
    if (arm.arm.treatment == "AnB" && arm.arm.cut == 5) {
      EXPECT_DOUBLE_EQ(arm.mean.mean, sum / 2);
      EXPECT_EQ(arm.difference.difference.units, 2);
      EXPECT_NEAR(arm.difference.difference.mean, sum / 2 - arms[0].mean.mean, 1e-12);
    }
  }
  const std::string script = accuracy_script(data, {}, kWideFigure, "accuracy");
  EXPECT_NE(script.find("title 'published'"), std::string::npos);
  EXPECT_NE(difference_script(data, {}, kWideFigure, "differences").find("title 'published'"), std::string::npos);
  const std::string section = reference_section(data);
  EXPECT_NE(section.find("PyTorch &amp; co"), std::string::npos);
  EXPECT_NE(section.find(fmt::format("{:.4f}", sum / 2)), std::string::npos) << section;
  EXPECT_EQ(reference_section(data_with(std::nullopt)), "");
}

TEST_F(Reference, ThePageIsMadeOfTheFoldersOwnCopy) {
  const auto page = [&] { return make_report(folder_.path()).at("report.html"); };
  const std::string before = page();
  const fs::path file = folder_.path() / "theirs.csv";
  write_text(file, "treatment,cut,top1\nbase,0,0.81\nAnB,2,0.82\n");
  keep_reference({.file = file.string(), .source = "", .splits = {}}, "", folder_.path());
  fs::remove(file);
  const std::string with = page();
  EXPECT_NE(with, before);
  EXPECT_EQ(with, page());
  EXPECT_NE(with.find("theirs.csv"), std::string::npos);
}

TEST_F(Reference, SplitsStandBesideThoseOfTheirKind) {
  const std::string file = (kReferences / "yosinski2014_runs.csv").string();
  keep_reference({.file = file, .source = "the authors", .splits = {}}, "", folder_.path());
  const Manifest manifest = read_manifest(folder_.path());
  const auto random = reference_runs(manifest, folder_.path(), "random", false);
  ASSERT_TRUE(random.has_value());
  EXPECT_EQ(random->unit, PairUnit::split_and_target);
  const auto natural = reference_runs(manifest, folder_.path(), "natural_manmade", false);
  ASSERT_TRUE(natural.has_value());
  EXPECT_EQ(natural->unit, PairUnit::seed);
  EXPECT_FALSE(reference_runs(manifest, folder_.path(), "named", true).has_value());  // of which of three kinds?

  keep_reference({.file = file, .source = "the authors", .splits = {"random"}}, "", folder_.path());
  const auto only = reference_runs(read_manifest(folder_.path()), folder_.path(), "named", true);
  ASSERT_TRUE(only.has_value());
  EXPECT_EQ(only->observations.size(), random->observations.size());
}

TEST_F(Reference, WhatIsNoTableIsRefused) {
  EXPECT_NE(message_of({.file = "nothing.csv", .source = "", .splits = {}}).find("nothing.csv"), std::string::npos);
  const fs::path file = folder_.path() / "bad.csv";
  write_text(file, "treatment,cut,top1\nbase,0,81\n");
  EXPECT_NE(message_of({.file = file.string(), .source = "", .splits = {}}).find("bad.csv:2: column top1"),
            std::string::npos);
  EXPECT_NE(message_of({.file = kClothing, .source = "", .splits = {"random"}}).find("reference.splits"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(reference_path(folder_.path())));
  EXPECT_THROW(parse_run_table("treatment,cut,top1\nbase,0,0.5\n", "strict.csv"), Error);
}

}  // namespace
}  // namespace graft::testing
