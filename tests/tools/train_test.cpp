// `graft train` and `graft eval` from the command line.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "engine/io/safetensors_file.h"
#include "tests/tools/study_folder_fixture.h"
#include "transfer/epoch_row.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

class TrainCommand : public StudyFolderTest {
 protected:
  std::vector<std::string> train_words(const std::string& output, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{
        "train", "--model", "convnet6", "--data-dir", data().string(), "--epochs", "3",
        "-b",    "16",      "--lr",     "0.01",       "--opt",         "adamw",    "--threads",
        "1",     "--seed",  "5",        "--hflip",    "0.5",           "--output", path(output).string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  ProcessResult resume(const std::string& output, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{"train", "--resume", "--output", path(output).string()};
    words.insert(words.end(), more.begin(), more.end());
    return run_graft(words);
  }
  /// The bytes of every tensor and the metadata of a file.
  std::string contents(const std::string& output, const std::string& file) const { return read(path(output) / file); }
  void expect_same_training(const std::string& a, const std::string& b) const {
    for (const char* file : {"state.safetensors", "last.safetensors", "best.safetensors", "summary.csv"}) {
      EXPECT_EQ(contents(a, file), contents(b, file)) << file;
    }
  }
};

TEST_F(TrainCommand, LearnsAndLeavesItsFiles) {
  const ProcessResult result = run_graft(train_words("out"));
  ASSERT_EQ(result.code, 0) << result.error;
  const std::vector<EpochRow> rows = parse_summary_csv(contents("out", "summary.csv"), "summary.csv");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_LT(rows.back().train_loss, rows.front().train_loss);
  EXPECT_GE(rows.back().eval_top1, 0.2) << "ten classes";
  EXPECT_GE(rows.back().eval_top5, rows.back().eval_top1);
  EXPECT_NE(contents("out", "args.yaml").find("lr: 0.01"), std::string::npos);
  int events = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(path("out"))) {
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) ++events;
  }
  EXPECT_EQ(events, 1);

  // eval on the checkpoint says what training said of its last epoch.
  const ProcessResult evaluated =
      run_graft({"eval", "--model", "convnet6", "--data-dir", data().string(), "-b", "16", "--threads", "1",
                 "--pretrained", (path("out") / "last.safetensors").string(), "--json"});
  ASSERT_EQ(evaluated.code, 0) << evaluated.error;
  const auto json = nlohmann::json::parse(evaluated.out);
  EXPECT_DOUBLE_EQ(json["top1"].get<double>(), rows.back().eval_top1);
  EXPECT_DOUBLE_EQ(json["top5"].get<double>(), rows.back().eval_top5);
  EXPECT_NEAR(json["loss"].get<double>(), rows.back().eval_loss, 1e-12);
}

TEST_F(TrainCommand, ResumesToTheSameBitsAfterAnyKill) {
  ASSERT_EQ(run_graft(train_words("whole")).code, 0);
  int killed = 0;
  for (const int milliseconds : {5, 40, 80, 120, 160}) {
    const std::string output = "killed" + std::to_string(milliseconds);
    GraftProcess process(train_words(output));
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    process.send(SIGKILL);
    killed += process.wait().signal == SIGKILL ? 1 : 0;
    if (!fs::exists(path(output) / "args.yaml")) continue;  // before it had begun
    const ProcessResult resumed = resume(output);
    ASSERT_EQ(resumed.code, 0) << resumed.error;
    expect_same_training("whole", output);
  }
  EXPECT_GT(killed, 0) << "no process was killed: the delays are too long for this machine";
}

TEST_F(TrainCommand, ResumesBetweenEpochs) {
  // As a kill between the files of the first epoch would have left it: state of epoch 0 only.
  std::vector<std::string> one = train_words("one");
  *(std::find(one.begin(), one.end(), "--epochs") + 1) = "1";
  one.insert(one.end(), {"--sched", "constant"});
  ASSERT_EQ(run_graft(one).code, 0);
  ASSERT_EQ(run_graft(train_words("three", {"--sched", "constant"})).code, 0);
  for (const char* file : {"state.safetensors", "last.safetensors", "best.safetensors", "summary.csv"}) {
    fs::copy_file(path("one") / file, path("three") / file, fs::copy_options::overwrite_existing);
  }
  ASSERT_EQ(run_graft(train_words("fresh", {"--sched", "constant"})).code, 0);
  const ProcessResult resumed = resume("three");
  ASSERT_EQ(resumed.code, 0) << resumed.error;
  expect_same_training("fresh", "three");
}

TEST_F(TrainCommand, FrozenStagesStayAsTheyAre) {
  ASSERT_EQ(run_graft(train_words("base")).code, 0);
  const std::string base = (path("base") / "last.safetensors").string();
  const ProcessResult result = run_graft(train_words("frozen", {"--pretrained", base, "--freeze-until", "conv3"}));
  ASSERT_EQ(result.code, 0) << result.error;
  const SafetensorsFile before(base);
  const SafetensorsFile after(path("frozen") / "last.safetensors");
  for (const auto& [name, entry] : before.entries()) {
    const SafetensorsEntry* other = after.find(name);
    ASSERT_NE(other, nullptr) << name;
    const auto a = before.bytes(entry);
    const auto b = after.bytes(*other);
    const bool frozen = name.starts_with("conv1.") || name.starts_with("conv2.") || name.starts_with("conv3.");
    EXPECT_EQ(std::equal(a.begin(), a.end(), b.begin(), b.end()), frozen) << name;
  }
}

TEST_F(TrainCommand, RefusesInOneLine) {
  ASSERT_EQ(run_graft(train_words("out")).code, 0);
  expect_one_line(run_graft(train_words("out")), 2, {"holds a training already", "--resume"});
  expect_one_line(resume("nowhere"), 2, {"--resume", "holds no training"});
  expect_one_line(resume("out", {"--lr", "0.5"}), 2, {"--lr 0.5", "args.yaml", "0.01"});
  expect_one_line(run_graft(train_words("stage", {"--freeze-until", "conv9"})), 2, {"--freeze-until conv9", "conv5"});
  expect_one_line(run_graft({"train", "--dataset", "fashion-mnist", "--data-dir", data().string()}), 2, {"--model"});
  expect_one_line(run_graft(train_words("few", {"--num-classes", "3"})), 2, {"--num-classes 3", "10 classes"});
  std::vector<std::string> large = train_words("batch");
  *(std::find(large.begin(), large.end(), "-b") + 1) = "100000";
  expect_one_line(run_graft(large), 3, {"--batch-size 100000", "lower it"});
  write(path("junk.pth"), "no checkpoint");
  expect_one_line(run_graft(train_words("junk", {"--pretrained", path("junk.pth").string()})), 3, {"junk.pth"});
  fs::resize_file(path("out") / "state.safetensors", 100);
  expect_one_line(resume("out"), 3, {"state.safetensors"});
}

}  // namespace
}  // namespace graft::testing
