#include <gtest/gtest.h>

#include <filesystem>

#include "tests/tools/study_folder_fixture.h"

// Bad input: one line that names the file or key and the remedy, and the exit code that DESIGN.md lists.
namespace graft::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kUsage = 2;
constexpr int kData = 3;
constexpr int kFailure = 1;

class BadInput : public StudyFolderTest {
 protected:
  /// Replaces one byte of a file.
  void poke(const std::string& name, std::size_t at, char value) const {
    std::string bytes = read(data() / name);
    bytes.at(at) = value;
    write(data() / name, bytes);
  }
};

TEST_F(BadInput, DataSetNotInstalled) {
  const ProcessResult result = run_graft({"study", "run", path("small.yaml").string(), "--data-dir",
                                          path("nothing").string(), "--output", path("results").string()});
  expect_one_line(result, kData, {"fashion-mnist", "nothing/train-images-idx3-ubyte", "apt-get install", "--data-dir"});
  EXPECT_FALSE(fs::exists(path("results"))) << "nothing is written before the data is known to be good";
}

TEST_F(BadInput, IdxFileTruncated) {
  const fs::path file = data() / "train-images-idx3-ubyte";
  fs::resize_file(file, fs::file_size(file) - 1000);
  expect_one_line(run(), kData, {file.string(), "apt-get install"});
}

TEST_F(BadInput, IdxFileWithAWrongMagic) {
  poke("t10k-labels-idx1-ubyte", 2, '\x0d');
  expect_one_line(run(), kData, {(data() / "t10k-labels-idx1-ubyte").string(), "--data-dir"});
}

TEST_F(BadInput, LabelOutOfRange) {
  poke("train-labels-idx1-ubyte", 8 + 5, 17);
  expect_one_line(run(), kData, {(data() / "train-labels-idx1-ubyte").string(), "label 17 of item 5", "0 to 9"});
}

TEST_F(BadInput, StudyKeyUnknown) {
  edit_study("batch_size", "batch_sise");
  expect_one_line(run(), kData, {"small.yaml:15:", "batch_sise", "batch_size"});
}

TEST_F(BadInput, ClassInBothHalves) {
  edit_study("Pullover", "Sandal");
  expect_one_line(run(), kData, {"small.yaml:6:", "Sandal", "split.source"});
}

TEST_F(BadInput, ClassUnknown) {
  edit_study("Pullover", "Pulover");
  expect_one_line(run(), kData, {"Pulover", "Pullover"});
}

TEST_F(BadInput, CutBeyondTheStages) {
  edit_study("cuts: [1, 3]", "cuts: [1, 7]");
  expect_one_line(run(), kData, {"cuts", "7", "6"});
}

TEST_F(BadInput, ZeroSamples) {
  edit_study("train_per_class: 12", "train_per_class: 0");
  expect_one_line(run(), kData, {"small.yaml:8:", "train_per_class"});
}

TEST_F(BadInput, MoreSamplesThanThereAre) {
  edit_study("train_per_class: 12", "train_per_class: 13");
  expect_one_line(run(), kData, {"12", "13"});
}

TEST_F(BadInput, BatchLargerThanAHalf) {
  edit_study("batch_size: 8", "batch_size: 64");
  expect_one_line(run(), kData, {"training.batch_size", "64", "36 training images", "lower it"});
}

TEST_F(BadInput, NoSuchStudy) {
  expect_one_line(run_graft({"study", "run", path("none.yaml").string()}), kData, {"none.yaml", "no such study"});
}

TEST_F(BadInput, ResultsFolderOfAnotherStudy) {
  ASSERT_EQ(run().code, 0);
  edit_study("lr: 0.02", "lr: 0.03");
  expect_one_line(run(), kData, {"results", "another study", "training.lr", "0.03", "0.02", "--output"});
}

TEST_F(BadInput, ResultsFolderMadeWithOtherThreads) {
  ASSERT_EQ(run().code, 0);
  expect_one_line(run({"--threads", "2"}), kData, {"results", "--threads 1", "2"});
}

TEST_F(BadInput, ResultsFolderMadeFromOtherData) {
  ASSERT_EQ(run().code, 0);
  poke("train-images-idx3-ubyte", 500, 'x');
  expect_one_line(run(), kData, {"results", "train data"});
}

/// A run in results.jsonl that another program made, then one to do.
TEST_F(BadInput, ResultsByAnotherBinary) {
  ASSERT_EQ(run().code, 0);
  std::string results = read(path("results") / "results.jsonl");
  const std::size_t last = results.rfind('\n', results.size() - 2);
  results.resize(last + 1);
  const std::string key = "\"binary\":\"";
  const std::size_t at = results.find(key) + key.size();
  ASSERT_GT(at, key.size());
  results.replace(at, 64, std::string(64, 'a'));
  write(path("results") / "results.jsonl", results);

  expect_one_line(run(), kData, {"results.jsonl", "another binary", "--accept-binary"});
  const ProcessResult accepted = run({"--accept-binary"});
  EXPECT_EQ(accepted.code, 0) << accepted.error;
  EXPECT_NE(read(path("results") / "report.html").find(std::string(12, 'a')), std::string::npos)
      << "the report does not name the other binary";
}

TEST_F(BadInput, TornLastLineIsRepaired) {
  ASSERT_EQ(run({}, "whole").code, 0);
  ASSERT_EQ(run().code, 0);
  std::string results = read(path("results") / "results.jsonl");
  results.resize(results.size() - 40);
  write(path("results") / "results.jsonl", results);
  const ProcessResult repaired = run();
  EXPECT_EQ(repaired.code, 0) << repaired.error;
  EXPECT_NE(repaired.error.find("results.jsonl: cut off an unfinished last line"), std::string::npos);
  EXPECT_EQ(record(), record("whole"));
}

/// Weights of convnet6 take 1.9 MB; a disk that takes 1 MB a file is full in the middle of the first checkpoint.
TEST_F(BadInput, DiskFull) {
  const ProcessResult result = run({"--jobs", "1"}, "results", {.file_size_limit = 1 << 20});
  expect_one_line(result, kFailure, {"checkpoint.safetensors", "file too large"});
  // With room again the study goes on and nothing of the failure is left.
  ASSERT_EQ(run().code, 0);
  ASSERT_EQ(run({}, "whole").code, 0);
  EXPECT_EQ(record(), record("whole"));
}

TEST_F(BadInput, ReadOnlyFolder) {
  fs::create_directories(path("results"));
  fs::permissions(path("."), fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
  fs::permissions(path("results"),
                  fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read | fs::perms::others_exec);
  expect_one_line(run({}, "results", {.as_nobody = true}), kFailure, {"results", "permission denied", "--output"});
}

TEST_F(BadInput, DeviceUnknown) { expect_one_line(run({"--device", "gpu"}), kUsage, {"--device gpu", "cpu"}); }

TEST_F(BadInput, FlagsThatAreNone) {
  expect_one_line(run({"--no-such-flag"}), kUsage, {"--no-such-flag"});
  expect_one_line(run({"--amp", "fp8"}), kUsage, {"--amp", "fp8"});
  expect_one_line(run({"--jobs", "0"}), kUsage, {"--jobs"});
  expect_one_line(run_graft({"stady"}), kUsage, {"stady"});
  expect_one_line(run_graft({}), kUsage, {"subcommand"});
  expect_one_line(run_graft({"bench", "step", "--model", "resnet19"}), kUsage, {"resnet19", "resnet18"});
}

}  // namespace
}  // namespace graft::testing
