// Images with several labels each, from the command line: train, eval and predict.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/tools/image_folder_fixture.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

class MultiLabel : public ImageFolderTest {
 protected:
  std::vector<std::string> data_words() const {
    return {"--data-dir", mixtures().string(), "--labels", labels().string()};
  }
  ProcessResult train(const std::string& output, int epochs = 1, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = train_words(output, epochs, data_words());
    words.insert(words.end(), more.begin(), more.end());
    return run_graft(words);
  }
  std::string weights(const std::string& output) const { return (path(output) / "last.safetensors").string(); }
  ProcessResult eval(const std::string& file, const std::vector<std::string>& more) const {
    std::vector<std::string> words{"eval", "--model", "convnet6",  "--dataset", "imagefolder",  "--img-size", "28",
                                   "-b",   "8",       "--threads", "1",         "--pretrained", file};
    for (const std::vector<std::string>& part : {data_words(), more})
      words.insert(words.end(), part.begin(), part.end());
    return run_graft(words);
  }
  /// Probabilities of the 16 images of val/, by class.
  std::vector<std::map<int, double>> predict(const std::string& file) const {
    std::vector<std::string> words{"predict", "--model", "convnet6", "--img-size", "28",           "--threads",
                                   "1",       "--top",   "3",        "--json",     "--pretrained", file};
    for (int i = 24; i < 40; ++i) words.push_back((mixtures() / fmt::format("val/{}.ppm", i)).string());
    const ProcessResult result = run_graft(words);
    EXPECT_EQ(result.code, 0) << result.error;
    std::vector<std::map<int, double>> all;
    for (const Json& image : Json::parse(result.out)) {
      all.emplace_back();
      for (const Json& guess : image.at("top")) all.back()[guess.at("index")] = guess.at("probability");
    }
    return all;
  }
};

/// The share of pairs of a positive and a negative whose positive scores higher, ties half.
double auroc_by_pairs(const std::vector<std::map<int, double>>& probabilities, int label) {
  double won = 0.0;
  double pairs = 0.0;
  for (std::size_t a = 0; a < probabilities.size(); ++a) {
    for (std::size_t b = 0; b < probabilities.size(); ++b) {
      // Image i shows the colours of i % 8, and val/ begins at 24.
      if (((a % 8) >> label & 1U) == 0 || ((b % 8) >> label & 1U) != 0) continue;
      const double difference = probabilities[a].at(label) - probabilities[b].at(label);
      won += difference > 0 ? 1.0 : difference == 0 ? 0.5 : 0.0;
      pairs += 1.0;
    }
  }
  return won / pairs;
}

TEST_F(MultiLabel, TrainsTestsAndPredicts) {
  const ProcessResult trained = train("out", 16, {"--no-aug"});
  ASSERT_EQ(trained.code, 0) << trained.error;
  EXPECT_NE(trained.out.find("AUROC"), std::string::npos) << trained.out;
  const std::vector<std::string> summary = lines_of(read(path("out") / "summary.csv"));
  ASSERT_EQ(summary.size(), 17u);
  EXPECT_EQ(summary.front(), "epoch,train_loss,eval_loss,eval_auroc,auroc red,\"auroc green, or so\",auroc blue,lr");
  EXPECT_NE(read(path("out") / "args.yaml").find("\nloss: bce\n"), std::string::npos);

  const ProcessResult tested = eval(weights("out"), {"--json"});
  ASSERT_EQ(tested.code, 0) << tested.error;
  const Json json = Json::parse(tested.out);
  EXPECT_EQ(json.at("images"), 16);
  EXPECT_FALSE(json.contains("top1"));
  const std::vector<std::map<int, double>> probabilities = predict(weights("out"));
  const std::vector<std::string> names{"red", "green, or so", "blue"};
  double mean = 0.0;
  for (int label = 0; label < 3; ++label) {
    const double expected = auroc_by_pairs(probabilities, label);
    EXPECT_NEAR(json.at("aurocs").at(names[static_cast<std::size_t>(label)]).get<double>(), expected, 1e-12) << label;
    mean += expected / 3;
  }
  EXPECT_NEAR(json.at("auroc").get<double>(), mean, 1e-12);
  // Which bits a processor's arithmetic gives decides a few of 64 pairs a class; of a network that has learned nothing
  // the mean's standard error is .09 (Hanley and McNeil 1982: .149 a class).
  EXPECT_GT(mean, 0.85) << "bright channels are told apart";
  // Its loss follows from the same probabilities.
  double loss = 0.0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    for (int label = 0; label < 3; ++label) {
      const double p = probabilities[i].at(label);
      loss -= std::log(((i % 8) >> label & 1U) != 0 ? p : 1.0 - p) / 48.0;
    }
  }
  EXPECT_NEAR(json.at("loss").get<double>(), loss, 1e-5);
  // summary.csv says what eval says of the last epoch.
  EXPECT_NE(summary.back().find(fmt::format(",{},", json.at("auroc").get<double>())), std::string::npos)
      << summary.back();

  const std::vector<std::string> table = lines_of(eval(weights("out"), {}).out);
  ASSERT_EQ(table.size(), 5u);
  EXPECT_TRUE(table[2].starts_with("green, or so")) << table[2];
  EXPECT_NE(table[4].find("mean AUROC"), std::string::npos) << table[4];
}

TEST_F(MultiLabel, ProbabilitiesAreSigmoidsUnlessTheWeightsDoNotSaySo) {
  ASSERT_EQ(train("out").code, 0);
  const std::string imported = path("imported.safetensors").string();
  const ProcessResult import = run_graft(
      {"import", weights("out"), "--model", "convnet6", "--in-channels", "3", "--num-classes", "3", "-o", imported});
  ASSERT_EQ(import.code, 0) << import.error;
  const auto sigmoids = predict(weights("out"));
  const auto softmaxes = predict(imported);
  for (std::size_t i = 0; i < sigmoids.size(); ++i) {
    double odds = 0.0;  // p / (1 - p) is the exponential of the logit
    for (const auto& [label, p] : sigmoids[i]) odds += p / (1.0 - p);
    for (const auto& [label, p] : sigmoids[i]) {
      EXPECT_NEAR(softmaxes[i].at(label), p / (1.0 - p) / odds, 1e-6) << i << " " << label;
    }
  }
}

TEST_F(MultiLabel, ResumesToTheSameBits) {
  ASSERT_EQ(train("one", 1).code, 0);
  ASSERT_EQ(train("whole", 3).code, 0);
  ASSERT_EQ(train("torn", 3).code, 0);
  fs::copy_file(path("one") / "state.safetensors", path("torn") / "state.safetensors",
                fs::copy_options::overwrite_existing);
  const ProcessResult resumed = run_graft({"train", "--resume", "--output", path("torn").string()});
  ASSERT_EQ(resumed.code, 0) << resumed.error;
  for (const char* file : {"state.safetensors", "best.safetensors", "summary.csv"}) {
    EXPECT_EQ(read(path("torn") / file), read(path("whole") / file)) << file;
  }
}

TEST_F(MultiLabel, TakesTestImagesFromAFileOfTheirOwn) {
  std::string test = "image,red,\"green, or so\",blue\n";
  for (int i = 24; i < 28; ++i) test += fmt::format("val/{}.ppm,1,0,\n", i);
  write(path("test.csv"), test);
  ASSERT_EQ(train("out", 1, {"--val-labels", path("test.csv").string()}).code, 0);
  // Nobody is negative or positive alone: no class has an AUROC.
  EXPECT_NE(lines_of(read(path("out") / "summary.csv")).back().find(",,,,"), std::string::npos);
  const Json json = Json::parse(eval(weights("out"), {"--json", "--val-labels", path("test.csv").string()}).out);
  EXPECT_EQ(json.at("images"), 4);
  EXPECT_TRUE(json.at("auroc").is_null());
}

/// Classes of a folder under the loss of several labels.
TEST_F(MultiLabel, OneLabelEachCanBeTrainedSoToo) {
  std::vector<std::string> words =
      train_words("bce", 2, {"--data-dir", images().string(), "--loss", "bce", "--no-aug"});
  const ProcessResult result = run_graft(words);
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_NE(result.out.find("top-1"), std::string::npos) << result.out;
}

TEST_F(MultiLabel, RefusesInOneLine) {
  expect_one_line(train("out", 1, {"--smoothing", "0.1"}), 2, {"--smoothing 0.1", "binary cross-entropy"});
  expect_one_line(train("out", 1, {"--loss", "cross-entropy"}), 2, {"--loss cross-entropy", "bce"});
  expect_one_line(train("out", 1, {"--num-classes", "5"}), 2, {"--num-classes 5", "3 classes"});
  write(labels(), "image,red,green\ntrain/0.ppm,1,0\ntrain/1.ppm,1,2\n");
  expect_one_line(train("out"), 3, {"labels.csv:3", "'2'"});
  expect_one_line(run_graft({"train", "--model", "convnet6", "--data-dir", data().string(), "--labels", "x.csv"}), 2,
                  {"--labels x.csv", "imagefolder"});
  expect_one_line(run_graft({"train", "--model", "convnet6", "--data-dir", data().string(), "--val-labels", "x.csv"}),
                  2, {"--val-labels x.csv", "--labels"});
}

}  // namespace
}  // namespace graft::testing
