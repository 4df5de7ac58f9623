// `graft features`: the same numbers in a safetensors and in a NumPy file.
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "engine/io/checkpoint.h"
#include "tests/tools/image_folder_fixture.h"

namespace graft::testing {
namespace {

class Features : public ImageFolderTest {
 protected:
  /// Features of five images by weights that have never learnt.
  ProcessResult features(const std::string& output, const std::vector<std::string>& more = {}) {
    const std::string weights = path("weights.safetensors").string();
    if (!std::filesystem::exists(weights)) {
      const std::vector<std::string> words = train_words("trained", 1, {"--data-dir", images().string(), "--no-aug"});
      EXPECT_EQ(run_graft(words).code, 0);
      std::filesystem::copy_file(path("trained") / "last.safetensors", weights);
    }
    std::vector<std::string> words{"features", "--model", "convnet6",     "--img-size", "28", "--threads",          "1",
                                   "-b",       "2",       "--pretrained", weights,      "-o", path(output).string()};
    for (const char* name : {"0", "3", "6", "9", "12"}) {
      words.push_back((images() / "train" / "red" / (std::string(name) + ".ppm")).string());
    }
    words.insert(words.end(), more.begin(), more.end());
    return run_graft(words);
  }
  std::vector<float> values(const std::string& file) const {
    const auto opened = open_checkpoint(path(file));
    const CheckpointTensor* tensor = opened->find("features");
    std::vector<float> result(tensor->nbytes / sizeof(float));
    opened->read(*tensor, std::as_writable_bytes(std::span(result)));
    return result;
  }
};

TEST_F(Features, AreTheSameInEitherFormat) {
  for (const std::vector<std::string>& how :
       {std::vector<std::string>{}, {"--stage", "conv3"}, {"--stage", "conv3", "--full"}}) {
    ASSERT_EQ(features("f.safetensors", how).code, 0);
    const ProcessResult npz = features("f.npz", how);
    ASSERT_EQ(npz.code, 0) << npz.error;
    EXPECT_EQ(open_checkpoint(path("f.npz"))->format(), "npz");
    const auto a = open_checkpoint(path("f.safetensors"))->find("features")->shape;
    EXPECT_EQ(open_checkpoint(path("f.npz"))->find("features")->shape, a);
    EXPECT_EQ(a.front(), 5);
    EXPECT_EQ(a.size(), how.size() == 3 ? 4u : 2u);
    EXPECT_EQ(values("f.npz"), values("f.safetensors"));
  }
  const auto npz = open_checkpoint(path("f.npz"));
  EXPECT_EQ(npz->find("images")->shape, (std::vector<std::int64_t>{5}));
  const auto names = nlohmann::json::parse(open_checkpoint(path("f.safetensors"))->metadata().at("images"));
  EXPECT_NE(read(path("f.npz")).find(names.at(4).get<std::string>()), std::string::npos);
}

TEST_F(Features, ABadImageLeavesNoFile) {
  write(path("bad.ppm"), "P6\n4 4\n255\n");
  for (const char* output : {"f.npz", "f.safetensors"}) {
    expect_one_line(features(output, {path("bad.ppm").string()}), 3, {"bad.ppm"});
    EXPECT_FALSE(std::filesystem::exists(path(output)));
  }
}

}  // namespace
}  // namespace graft::testing
