// `graft compare`.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/tools/study_folder_fixture.h"

namespace graft::testing {
namespace {

class Compare : public StudyFolderTest {
 protected:
  std::string train(const std::string& seed, const std::string& classes = "10") const {
    const std::string folder = path("v" + seed + "-" + classes).string();
    const ProcessResult result = run_graft({"train", "--model", "cifar_resnet20", "--dataset", "fashion-mnist",
                                            "--data-dir", data().string(), "--epochs", "1", "-b", "16", "--seed", seed,
                                            "--num-classes", classes, "--threads", "1", "--output", folder});
    EXPECT_EQ(result.code, 0) << result.error;
    return folder + "/last.safetensors";
  }
  std::vector<std::string> words(const std::string& command, const std::vector<std::string>& more) const {
    std::vector<std::string> all{command,     "--model", "cifar_resnet20", "--dataset",    "fashion-mnist", "-b", "16",
                                 "--threads", "1",       "--data-dir",     data().string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  nlohmann::json json_of(const std::string& command, const std::vector<std::string>& more) const {
    const ProcessResult result = run_graft(words(command, more));
    EXPECT_EQ(result.code, 0) << result.error;
    return nlohmann::json::parse(result.out);
  }
};

TEST_F(Compare, TheLineEndsWhereEvalStands) {
  const std::string first = train("0");
  const std::string second = train("1");
  const auto compared = json_of("compare", {first, second, "--steps", "2", "--json"});
  const auto before = json_of("eval", {"--pretrained", first, "--json"});
  const auto after = json_of("eval", {"--pretrained", second, "--json"});
  ASSERT_EQ(compared["line"].size(), 3u);
  EXPECT_EQ(compared["line"][0]["loss"], before["loss"]);
  EXPECT_EQ(compared["line"][2]["loss"], after["loss"]);
  EXPECT_EQ(compared["line"][2]["accuracy"], after["top1"]);
  const auto& churn = compared["churn"];
  const double images = churn["images"];
  EXPECT_EQ((churn["both_right"].get<double>() + churn["only_first_right"].get<double>()) / images, before["top1"]);
  EXPECT_EQ((churn["both_right"].get<double>() + churn["only_second_right"].get<double>()) / images, after["top1"]);
}

TEST_F(Compare, ANetworkWithItself) {
  const std::string file = train("0");
  const std::string json = path("same.json").string();
  const auto same = json_of("compare", {file, file, "--steps", "1", "--json", "--output", json});
  EXPECT_EQ(same["churn"]["changed"], 0);
  EXPECT_EQ(same["weights"]["l2"], 0.0);
  EXPECT_EQ(same["barrier"], 0.0);
  for (const auto& stage : same["stages"]) EXPECT_NEAR(stage["cka"].get<double>(), 1.0, 1e-5) << stage["stage"];
  EXPECT_EQ(nlohmann::json::parse(read(json)), same);
}

TEST_F(Compare, HeadsOfOtherSizesLeaveTheStages) {
  const std::string first = train("0");
  const std::string second = train("1", "12");
  const auto compared = json_of("compare", {first, second, "--json"});
  EXPECT_NE(compared["refused"].get<std::string>().find("tells 10 classes apart"), std::string::npos);
  EXPECT_TRUE(compared["churn"].is_null());
  EXPECT_TRUE(compared["stages"][0]["cka"].is_number());
  EXPECT_NE(run_graft(words("compare", {first, second})).out.find("no churn, no loss barrier"), std::string::npos);
  expect_one_line(run_graft(words("compare", {first, path("none.safetensors").string()})), 3, {"none.safetensors"});
}

}  // namespace
}  // namespace graft::testing
