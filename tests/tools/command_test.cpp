#include "tools/command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "tests/tools/study_folder_fixture.h"
#include "tools/flop_counter.h"
#include "tools/study_flags.h"

namespace graft::testing {
namespace {

using Json = nlohmann::json;

class Command : public StudyFolderTest {};

TEST(ShellLine, QuotesWhatAShellWouldRead) {
  EXPECT_EQ(shell_line({"graft", "study", "run", "a b.yaml"}), "graft study run 'a b.yaml'");
  EXPECT_EQ(shell_line({"it's", "", "--amp=bf16", "$HOME"}), R"('it'\''s' '' --amp=bf16 '$HOME')");
}

TEST_F(Command, ListingsAreReadByPeopleAndPrograms) {
  for (const char* name : {"devices", "models", "version"}) {
    const ProcessResult text = run_graft({name});
    EXPECT_EQ(text.code, 0) << text.error;
    EXPECT_GE(lines_of(text.out).size(), 3u) << text.out;
    const ProcessResult json = run_graft({name, "--json"});
    EXPECT_EQ(Json::parse(json.out).size(), lines_of(text.out).size() - 1) << json.out;
  }
  const Json sets = Json::parse(run_graft({"datasets", "--json", "--data-dir", data().string()}).out);
  EXPECT_EQ(sets.at(0).at("dataset"), "fashion-mnist");
  EXPECT_EQ(sets.at(0).at("here"), "120 train, 40 test, 10 classes");
  const Json none = Json::parse(run_graft({"datasets", "--json", "--data-dir", path("none").string()}).out);
  EXPECT_EQ(none.at(0).at("here").get<std::string>().find("no: apt-get install"), 0u);
}

TEST_F(Command, ModelsSayHowTheirImagesArePrepared) {
  const Json models = Json::parse(run_graft({"models", "--json"}).out);
  const auto resnet =
      std::find_if(models.begin(), models.end(), [](const Json& m) { return m.at("model") == "resnet50"; });
  ASSERT_NE(resnet, models.end());
  EXPECT_EQ(resnet->at("parameters"), 25557032);
  EXPECT_EQ(resnet->at("input"), Json({3, 224, 224}));
  EXPECT_EQ(resnet->at("stages"), Json({"stem", "layer1", "layer2", "layer3", "layer4"}));
  const Json& first = resnet->at("weights").at(0);
  EXPECT_EQ(first.at("weights"), "resnet50.tv_in1k");
  EXPECT_EQ(first.at("mean"), Json({0.485, 0.456, 0.406}));
  EXPECT_EQ(first.at("interpolation"), "bilinear");
  // One model alone, as people read it: its line, then a line for each of its weights.
  const std::vector<std::string> lite = lines_of(run_graft({"models", "tf_efficientnet_lite3"}).out);
  ASSERT_EQ(lite.size(), 5u);
  for (const char* part : {"tf_efficientnet_lite3.in1k", "300x300x3", "0.904", "bilinear", "0.5 0.5 0.5"}) {
    EXPECT_NE(lite.back().find(part), std::string::npos) << lite.back();
  }
  expect_one_line(run_graft({"models", "resnet51"}), 2, {"resnet51", "did you mean"});
}

TEST_F(Command, HelpIsNoError) {
  const ProcessResult help = run_graft({"study", "run", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_NE(help.out.find("--accept-binary"), std::string::npos);
  EXPECT_EQ(help.error, "");
}

TEST_F(Command, PlanListsRunsAndCostsAndTrainsNothing) {
  const ProcessResult plan = run_graft(words("plan"));
  EXPECT_EQ(plan.code, 0) << plan.error;
  EXPECT_NE(plan.out.find("12 runs, 0 done, 12 to do"), std::string::npos) << plan.out;
  EXPECT_FALSE(std::filesystem::exists(path("results")));
  ASSERT_EQ(run().code, 0);
  EXPECT_NE(run_graft(words("plan")).out.find("12 runs, 12 done, 0 to do"), std::string::npos);
}

TEST_F(Command, RunLeavesTheWholeFolder) {
  const ProcessResult result = run();
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_NE(result.out.find("AnB+"), std::string::npos) << result.out;
  for (const char* name : {"study.yaml", "manifest.json", "results.jsonl", "report.html"}) {
    EXPECT_TRUE(std::filesystem::exists(path("results") / name)) << name;
  }
  EXPECT_EQ(read(path("results") / "study.yaml"), read(path("small.yaml")));
  const Json manifest = Json::parse(read(path("results") / "manifest.json"));
  EXPECT_EQ(manifest.at("weights").size(), 12u);
  EXPECT_EQ(lines_of(result.error).size(), 13u) << "a line a run and where the figure is:\n" << result.error;
  const ProcessResult report = run_graft({"study", "report", path("results").string()});
  EXPECT_EQ(report.code, 0) << report.error;
  EXPECT_EQ(report.out, result.out);
}

TEST_F(Command, AmpIsPartOfTheStudyAsRun) {
  const std::string yaml = read(path("small.yaml"));
  EXPECT_EQ(with_amp(yaml, "none", "small.yaml"), yaml);
  const std::string bf16 = with_amp(yaml, "bf16", "small.yaml");
  EXPECT_EQ(parse_study(bf16, "small.yaml").training.amp, "bf16");
  EXPECT_EQ(first_difference(parse_study(with_amp(bf16, "none", "small.yaml"), "small.yaml"),
                             parse_study(yaml, "small.yaml")),
            "");
}

/// convnet6 on 28x28x1 by hand: two operations a multiply-add.
TEST(FlopCounter, CountsConvnet6) {
  const ForwardFlops flops =
      count_forward_flops(find_backbone("convnet6"), {.classes = 5, .in_channels = 1, .height = 28, .width = 28});
  const std::vector<double> expected{2.0 * 28 * 28 * 16 * 9,      2.0 * 14 * 14 * 32 * 9 * 16,
                                     2.0 * 14 * 14 * 32 * 9 * 32, 2.0 * 7 * 7 * 64 * 9 * 32,
                                     2.0 * 7 * 7 * 64 * 9 * 64,   2.0 * 3136 * 128};
  EXPECT_EQ(flops.stages, expected);
  EXPECT_EQ(flops.head, 2.0 * 128 * 5);
}

TEST(BenchStep, PrintsOneJsonObject) {
  const ProcessResult result = run_graft({"bench", "step", "--model", "convnet6", "--batch", "4", "--size", "28",
                                          "--steps", "2", "--warmup", "1", "--threads", "1", "--json"});
  ASSERT_EQ(result.code, 0) << result.error;
  const Json row = Json::parse(result.out);
  EXPECT_GT(row.at("ms_per_step").get<double>(), 0.0);
  EXPECT_GT(row.at("peak_rss_mib").get<double>(), 1.0);
  EXPECT_EQ(row.at("batch"), 4);
}

}  // namespace
}  // namespace graft::testing
