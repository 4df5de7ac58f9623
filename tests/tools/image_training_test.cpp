// `graft train` on image files: random crops and mirrored images, what args.yaml says of them, and resuming.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/tools/image_folder_fixture.h"
#include "transfer/epoch_row.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

class ImageTraining : public ImageFolderTest {
 protected:
  std::vector<std::string> folder_words(const std::string& output, const std::vector<std::string>& more = {},
                                        int epochs = 2) const {
    std::vector<std::string> words = train_words(output, epochs, {"--data-dir", images().string()});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::string state(const std::string& output) const { return read(path(output) / "state.safetensors"); }
  bool records(const std::string& output, const std::string& line) const {
    return read(path(output) / "args.yaml").find("\n" + line + "\n") != std::string::npos;
  }
};

TEST_F(ImageTraining, AugmentsAsTimmDoesAndSaysSo) {
  const ProcessResult result = run_graft(folder_words("default"));
  ASSERT_EQ(result.code, 0) << result.error;
  const std::string arguments = read(path("default") / "args.yaml");
  for (const char* line :
       {"scale: 0.08,1", "ratio: 0.75,1.3333333333333333", "hflip: 0.5", "train-interpolation: random", "no-aug: false",
        "loss: cross-entropy", "drop: 0", "drop-path: 0"}) {
    EXPECT_TRUE(records("default", line)) << line << " in\n" << arguments;
  }
  const auto rows = parse_summary_csv(read(path("default") / "summary.csv"), "summary.csv");
  ASSERT_EQ(rows.size(), 2u);

  // Each part of it changes what is trained.
  const std::vector<std::vector<std::string>> others{{"--no-aug"},
                                                     {"--scale", "0.5", "1"},
                                                     {"--ratio", "1,1"},
                                                     {"--hflip", "0"},
                                                     {"--train-interpolation", "bicubic"},
                                                     {"--crop-padding", "2"}};
  for (std::size_t i = 0; i < others.size(); ++i) {
    const std::string output = "other" + std::to_string(i);
    const ProcessResult other = run_graft(folder_words(output, others[i]));
    ASSERT_EQ(other.code, 0) << other.error;
    EXPECT_NE(state(output), state("default")) << others[i].front();
  }
  EXPECT_TRUE(records("other0", "no-aug: true"));
  EXPECT_TRUE(records("other0", "scale: \"\"")) << read(path("other0") / "args.yaml");
  EXPECT_TRUE(records("other5", "scale: \"\"")) << "zeros around the image in place of a random part";
  EXPECT_TRUE(records("other5", "hflip: 0.5"));
}

TEST_F(ImageTraining, ResumesToTheSameBits) {
  const auto epochs = [&](const std::string& output, int count) {
    return folder_words(output, {"--scale", "0.3,0.9", "--hflip", "0.25"}, count);
  };
  ASSERT_EQ(run_graft(epochs("one", 1)).code, 0);
  ASSERT_EQ(run_graft(epochs("whole", 3)).code, 0);
  ASSERT_EQ(run_graft(epochs("torn", 3)).code, 0);
  fs::copy_file(path("one") / "state.safetensors", path("torn") / "state.safetensors",
                fs::copy_options::overwrite_existing);
  const ProcessResult resumed = run_graft({"train", "--resume", "--output", path("torn").string(), "--workers", "3"});
  ASSERT_EQ(resumed.code, 0) << resumed.error;
  EXPECT_EQ(lines_of(resumed.out).size(), 3u) << "two epochs and the end: " << resumed.out;
  EXPECT_EQ(state("torn"), state("whole"));
  expect_one_line(run_graft({"train", "--resume", "--output", path("torn").string(), "--hflip", "0.5"}), 2,
                  {"--hflip 0.5", "0.25"});
}

TEST_F(ImageTraining, SmallImagesStayAsTheyAreUnlessAsked) {
  const std::vector<std::string> small{"train", "--model", "convnet6",  "--data-dir", data().string(), "--epochs", "1",
                                       "-b",    "16",      "--threads", "1",          "--output"};
  const auto with = [&](const std::string& output, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = small;
    words.push_back(path(output).string());
    words.insert(words.end(), more.begin(), more.end());
    return run_graft(words);
  };
  ASSERT_EQ(with("plain").code, 0);
  ASSERT_EQ(with("none", {"--no-aug"}).code, 0);
  ASSERT_EQ(with("crops", {"--scale", "0.5,1"}).code, 0);
  EXPECT_TRUE(records("plain", "hflip: 0"));
  EXPECT_TRUE(records("plain", "scale: \"\""));
  EXPECT_EQ(state("plain"), state("none"));
  EXPECT_NE(state("plain"), state("crops"));
}

TEST_F(ImageTraining, DropsBranchesWhereThereAreAny) {
  const auto resnet = [&](const std::string& output, const std::vector<std::string>& more) {
    std::vector<std::string> words{"train",
                                   "--model",
                                   "cifar_resnet20",
                                   "--dataset",
                                   "imagefolder",
                                   "--data-dir",
                                   images().string(),
                                   "--img-size",
                                   "16",
                                   "-b",
                                   "8",
                                   "--epochs",
                                   "1",
                                   "--threads",
                                   "1",
                                   "--output",
                                   path(output).string()};
    words.insert(words.end(), more.begin(), more.end());
    return run_graft(words);
  };
  ASSERT_EQ(resnet("none", {}).code, 0);
  ASSERT_EQ(resnet("zero", {"--drop-path", "0", "--drop", "0"}).code, 0);
  ASSERT_EQ(resnet("path", {"--drop-path", "0.3"}).code, 0);
  ASSERT_EQ(resnet("drop", {"--drop", "0.3"}).code, 0);
  EXPECT_EQ(state("none"), state("zero"));
  EXPECT_NE(state("none"), state("path"));
  EXPECT_NE(state("none"), state("drop"));
}

TEST_F(ImageTraining, RefusesInOneLine) {
  const auto refused = [&](const std::vector<std::string>& more, const std::vector<std::string>& parts) {
    expect_one_line(run_graft(folder_words("refused", more)), 2, parts);
  };
  refused({"--no-aug", "--hflip", "0.5"}, {"--no-aug", "--hflip"});
  refused({"--scale", "0.9,0.1"}, {"--scale 0.9 0.1"});
  refused({"--ratio", "0,1"}, {"--ratio 0 1"});
  refused({"--drop-path", "0.1"}, {"convnet6", "stochastic depth"});
  refused({"--drop", "0.1"}, {"convnet6", "dropout"});
}

}  // namespace
}  // namespace graft::testing
