// A study whose test images have subgroups: through the command, from the file to the page and back.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/tools/image_folder_fixture.h"
#include "transfer/manifest.h"
#include "transfer/record.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

class SubgroupStudy : public ImageFolderTest {
 protected:
  SubgroupStudy() { edit_study("treatments:", "subgroups: parity.csv\ntreatments:"); }

  /// The 40 test images of the small study's data set by the parity of their index, one of them by `change`.
  std::string parity(std::int64_t changed = -1, const std::string& change = "") const {
    std::string text = "index,subgroup\n";
    for (std::int64_t i = 0; i < 40; ++i) {
      text += fmt::format("{},{}\n", i, i == changed ? change : i % 2 == 0 ? "even" : "odd");
    }
    return text;
  }
  ProcessResult verify() const {
    return run_graft({"study", "verify", path("results").string(), "--data-dir", data().string()});
  }
  ProcessResult export_by(const std::string& flag) const {
    return run_graft({"study", "export", flag, path("results").string()});
  }
};

TEST_F(SubgroupStudy, FromTheFileToThePageAndBack) {
  write(path("parity.csv"), parity());
  const ProcessResult plan = run_graft(words("plan"));
  EXPECT_NE(plan.out.find("subgroups, test images of parity.csv: even 20, odd 20\n"), std::string::npos) << plan.out;
  ASSERT_EQ(run().code, 0);
  fs::remove(path("parity.csv"));  // the folder is enough from here on

  EXPECT_EQ(read(path("results") / "subgroups.csv"), parity());
  const Manifest manifest = read_manifest(path("results"));
  ASSERT_TRUE(manifest.subgroups);
  EXPECT_EQ(manifest.subgroups->file, "parity.csv");
  EXPECT_EQ(manifest.subgroups->names, (std::vector<std::string>{"even", "odd"}));
  const std::vector<RunResult> results = read_results(path("results"));
  for (const RunResult& run : results) {
    if (run.target == "A") {
      EXPECT_TRUE(run.by_subgroup.empty());
      continue;
    }
    // Labels are index % 10, and the target's classes 2, 3 and 4: 8 even images, 4 odd ones.
    ASSERT_EQ(run.by_subgroup.size(), 2u);
    EXPECT_EQ(run.by_subgroup[0][1], 8);
    EXPECT_EQ(run.by_subgroup[1][1], 4);
    EXPECT_EQ(run.by_subgroup[0][0] + run.by_subgroup[1][0], run.correct);
    // Even images are those of two classes, odd ones those of the third: a second way to the same counts.
    EXPECT_EQ(run.by_subgroup[0][0], run.by_class[0][0] + run.by_class[2][0]);
    EXPECT_EQ(run.by_subgroup[1][0], run.by_class[1][0]);
  }
  EXPECT_EQ(verify().code, 0) << verify().error;
  EXPECT_EQ(run().code, 0) << "all runs are there already";

  const std::string page = read(path("results") / "report.html");
  EXPECT_NE(page.find("<h2>By subgroup</h2>"), std::string::npos);
  EXPECT_NE(page.find("fewer than 30, and left out: even (8), odd (4)"), std::string::npos);
  EXPECT_NE(page.find("subgroups, parity.csv"), std::string::npos);
  const std::vector<std::string> lines = lines_of(export_by("--by-subgroup").out);
  EXPECT_EQ(lines.front(), "run,treatment,split,source,target,n,seed,subgroup,top1,correct,n_test");
  EXPECT_EQ(lines.size(), 1 + 2 * 11u);
  expect_one_line(run_graft({"study", "export", "--by-class", "--by-subgroup", path("results").string()}), 2, {});
}

TEST_F(SubgroupStudy, WhatChangesIsNamed) {
  write(path("parity.csv"), parity());
  ASSERT_EQ(run().code, 0);
  write(path("parity.csv"), parity(3, "even"));
  expect_one_line(run(), 3, {"its runs were made with subgroups", "--output"});
  write(path("results") / "subgroups.csv", parity(3, "even"));
  expect_one_line(verify(), 3, {"subgroups.csv: is not the file that was recorded"});
  write(path("results") / "subgroups.csv", parity());
  EXPECT_EQ(verify().code, 0);

  // A count whose line's hash was made to fit is found by testing again.
  std::vector<RunResult> results = read_results(path("results"));
  results.back().by_subgroup[0][0] ^= 1;
  std::string text;
  for (const RunResult& result : results) text += to_json_line(result) + "\n";
  write(path("results") / "results.jsonl", text);
  const ProcessResult found = verify();
  EXPECT_EQ(found.code, 3);
  EXPECT_NE(found.out.find("run " + results.back().id + ": its weights answer other subgroups rightly"),
            std::string::npos)
      << found.out;
}

TEST_F(SubgroupStudy, RunsKeepTheirIds) {
  write(path("parity.csv"), parity());
  ASSERT_EQ(run().code, 0);
  edit_study("subgroups: parity.csv\n", "");
  ASSERT_EQ(run({}, "without").code, 0);
  std::map<std::string, std::string> weights;
  for (const RunResult& result : read_results(path("results"))) {
    weights[result.id] = result.files.at("checkpoint.safetensors");
  }
  for (const RunResult& result : read_results(path("without"))) {
    EXPECT_EQ(weights[result.id], result.files.at("checkpoint.safetensors"));
    EXPECT_TRUE(result.by_subgroup.empty());
  }
  EXPECT_EQ(read(path("without") / "manifest.json").find("subgroups"), std::string::npos);
  EXPECT_EQ(read(path("without") / "report.html").find("ubgroup"), std::string::npos);
  expect_one_line(run_graft({"study", "export", "--by-subgroup", path("without").string()}), 3,
                  {"manifest.json: names no subgroups"});
}

TEST_F(SubgroupStudy, BadFilesAreNamedWithTheirLine) {
  expect_one_line(run(), 3, {"subgroups parity.csv: no such file"});
  write(path("parity.csv"), parity(7, "even\n3,odd"));
  expect_one_line(run(), 3, {"parity.csv:10: image 3 stands in line 5 already"});
  write(path("parity.csv"), parity(39, "odd\n40,odd"));
  expect_one_line(run_graft(words("plan")), 3, {"parity.csv:42: index '40' is no whole number from 0 to 39"});
  write(path("parity.csv"), parity().substr(0, 60));
  expect_one_line(run(), 3, {"parity.csv:", "which the study tests"});
  write(path("parity.csv"), "image,subgroup\nred/1.ppm,a\n");
  expect_one_line(run(), 3, {"parity.csv:1: begins with 'image,subgroup', but the test images are no files"});
  EXPECT_FALSE(fs::exists(path("results") / "results.jsonl"));
}

TEST_F(SubgroupStudy, OfImageFilesByTheirPath) {
  write(path("small.yaml"), R"(name: colours
dataset: imagefolder
model: convnet6
images: {size: 28}
split: {source: [red, green], target: [green, blue], overlap: [green]}
subgroups: sizes.csv
treatments: [base, AnB]
cuts: [1]
seeds: [0]
training: {epochs: 1, batch_size: 8, lr: 0.02}
)");
  std::string sizes = "image,subgroup\n";
  for (int i = 0; i < 24; ++i) {
    if (i % 3 == 0) continue;  // red ones are not tested
    sizes += fmt::format("{}/{}.ppm,{}\n", i % 3 == 1 ? "green" : "blue", i, i < 6 ? "small" : "\"large, wide\"");
  }
  write(path("sizes.csv"), sizes);
  const std::vector<std::string> words{"study",           "run",      path("small.yaml").string(), "--data-dir",
                                       images().string(), "--output", path("results").string()};
  const ProcessResult result = run_graft(words);
  ASSERT_EQ(result.code, 0) << result.error;
  for (const RunResult& run : read_results(path("results"))) {
    if (run.target == "A") continue;
    ASSERT_EQ(run.by_subgroup.size(), 2u);
    EXPECT_EQ(run.by_subgroup[0][1], 12);
    EXPECT_EQ(run.by_subgroup[1][1], 4);
    EXPECT_EQ(run.by_subgroup[0][0] + run.by_subgroup[1][0], run.correct);
  }
  write(path("sizes.csv"), sizes + "val/blue/1.ppm,small\n");
  expect_one_line(run_graft(words), 3, {"sizes.csv:18: there is no test image 'val/blue/1.ppm': did you mean"});
}

}  // namespace
}  // namespace graft::testing
