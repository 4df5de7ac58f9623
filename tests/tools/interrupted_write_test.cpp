// What is left of checkpoints when a process ends, loses its machine or gets an error at any call that changes files:
// tests/faults/file_faults.cpp disturbs one call of a process after the other.
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/tools/study_folder_fixture.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

/// A call that changes a file below the folder that is watched.
struct Call {
  std::string name;
  fs::path path;
};

std::string trace_of(const std::vector<Call>& calls, std::size_t at) {
  return "call " + std::to_string(at + 1) + " of " + std::to_string(calls.size()) + ": " + calls[at].name + " " +
         calls[at].path.string();
}

/// How often `file` was given its name by the calls before the one at `at`. After a power failure a name counts only if
/// its folder was synced since.
std::size_t commits_before(const std::vector<Call>& calls, std::size_t at, const fs::path& file, bool synced) {
  std::size_t lasting = 0;
  std::size_t made = 0;
  for (std::size_t i = 0; i < at; ++i) {
    if (calls[i].name == "rename" && calls[i].path == file) ++made;
    if (calls[i].name == "fsync" && calls[i].path == file.parent_path()) lasting = made;
  }
  return synced ? lasting : made;
}

class InterruptedWrite : public StudyFolderTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "AddressSanitizer wants to be the first library";
#endif
    fs::create_directory(path("undo"));
  }

  std::string kind() const { return GetParam(); }

  /// Runs graft with the call at `at` disturbed, from 0.
  ProcessResult run_disturbed(const std::vector<std::string>& words, const std::string& fault, std::size_t at) const {
    write(path("log"), "");
    return run_graft(words, {.environment = {{"LD_PRELOAD", GRAFT_FILE_FAULTS},
                                             {"GRAFT_FAULT_FOLDER", folder().string()},
                                             {"GRAFT_FAULT_UNDO", path("undo").string()},
                                             {"GRAFT_FAULT_LOG", path("log").string()},
                                             {"GRAFT_FAULT_KIND", fault},
                                             {"GRAFT_FAULT_AT", std::to_string(at + 1)}}});
  }

  /// The calls of the last run_disturbed().
  std::vector<Call> calls() const {
    std::vector<Call> calls;
    for (const std::string& line : lines_of(read(path("log")))) {
      const std::size_t space = line.find(' ');
      calls.push_back({line.substr(0, space), line.substr(space + 1)});
    }
    return calls;
  }

  /// Expects the end that this kind of fault brings about.
  void expect_end(const ProcessResult& result, const Call& call) const {
    if (kind() != "error") {
      EXPECT_EQ(result.signal, SIGKILL) << result.error;
      return;
    }
    // Without what differs from process to process: the name of a temporary file, the time in that of an event file.
    std::string file = call.path.string();
    for (const char* varying : {".graft-tmp-", "tfevents."}) file = file.substr(0, file.find(varying));
    const bool full = call.name == "write" || call.name == "open";
    expect_one_line(result, 1, {file, full ? "no space left on device" : "input/output error"});
  }

  /// Expects `file` to have the contents of its last version that was there before the call at `at`, or not to be.
  void expect_version(const std::vector<Call>& calls, std::size_t at, const std::string& file,
                      const std::vector<std::string>& versions) const {
    const std::size_t commits = commits_before(calls, at, folder() / file, kind() == "power_loss");
    ASSERT_LE(commits, versions.size());
    EXPECT_EQ(fs::exists(folder() / file), commits > 0) << file;
    EXPECT_TRUE(commits == 0 || read(folder() / file) == versions[commits - 1]) << file << " is not whole";
  }

  fs::path folder() const { return fs::canonical(path(".")) / "watched"; }
};

class InterruptedTraining : public InterruptedWrite {
 protected:
  std::vector<std::string> train_words(const std::string& epochs) const {
    return {
        "train", "--model",  "convnet6",       "--data-dir", data().string(), "--epochs", epochs,      "-b", "60",
        "--lr",  "0.01",     "--opt",          "sgd",        "--sched",       "constant", "--threads", "1",  "--seed",
        "5",     "--output", folder().string()};
  }

  /// Trains undisturbed and keeps what each file holds.
  void train_undisturbed(const std::string& epochs) {
    fs::remove_all(folder());
    const ProcessResult result = run_disturbed(train_words(epochs), "none", 0);
    ASSERT_EQ(result.code, 0) << result.error;
    for (const char* file : kFiles) versions_[file].push_back(read(folder() / file));
  }

  void expect_versions(const std::vector<Call>& calls, std::size_t at) const {
    for (const auto& [file, versions] : versions_) expect_version(calls, at, file, versions);
  }

  void expect_resumes() const {
    const std::vector<std::string> resume{"train", "--resume", "--output", folder().string()};
    const ProcessResult result = run_graft(fs::exists(folder() / "args.yaml") ? resume : train_words("2"));
    ASSERT_EQ(result.code, 0) << result.error;
    for (const auto& [file, versions] : versions_) {
      EXPECT_TRUE(read(folder() / file) == versions.back()) << file << " differs from that of an undisturbed training";
    }
    EXPECT_EQ(std::distance(fs::directory_iterator(folder()), {}), std::ssize(kFiles) + 1) << "and TensorBoard's file";
  }

  static constexpr std::array kFiles{"args.yaml", "best.safetensors", "state.safetensors", "last.safetensors",
                                     "summary.csv"};
  std::map<std::string, std::vector<std::string>> versions_;  ///< after one epoch and after two
};

TEST_P(InterruptedTraining, LeavesOldOrNewAndResumesToTheSameBits) {
  train_undisturbed("1");
  train_undisturbed("2");
  versions_["args.yaml"].erase(versions_["args.yaml"].begin());  // it says how many epochs are wanted
  const std::vector<Call> whole = calls();
  ASSERT_GT(whole.size(), 40u);
  for (std::size_t at = 0; at < whole.size() && !HasFailure(); ++at) {
    SCOPED_TRACE(trace_of(whole, at));
    fs::remove_all(folder());
    expect_end(run_disturbed(train_words("2"), kind(), at), whole[at]);
    expect_versions(whole, at);
    expect_resumes();
  }
}

TEST_P(InterruptedWrite, OfAnImportLeavesOldOrNew) {
  // Imports of two trainings' weights into the same file.
  std::vector<std::vector<std::string>> imports;
  for (const char* seed : {"1", "2"}) {
    const std::string trained = path("trained" + std::string(seed)).string();
    ASSERT_EQ(run_graft({"train", "--model", "convnet6", "--data-dir", data().string(), "--epochs", "1", "-b", "120",
                         "--seed", seed, "--output", trained})
                  .code,
              0);
    imports.push_back({"import", trained + "/last.safetensors", "--model", "convnet6", "-o",
                       (folder() / "imported.safetensors").string()});
  }
  fs::create_directory(folder());
  ASSERT_EQ(run_graft(imports[0]).code, 0);
  const std::string old = read(folder() / "imported.safetensors");
  const ProcessResult undisturbed = run_disturbed(imports[1], "none", 0);
  ASSERT_EQ(undisturbed.code, 0) << undisturbed.error;
  const std::string imported = read(folder() / "imported.safetensors");
  ASSERT_NE(old, imported);
  const std::vector<Call> whole = calls();
  ASSERT_GT(whole.size(), 5u);
  for (std::size_t at = 0; at < whole.size() && !HasFailure(); ++at) {
    SCOPED_TRACE(trace_of(whole, at));
    write(folder() / "imported.safetensors", old);
    expect_end(run_disturbed(imports[1], kind(), at), whole[at]);
    const bool committed = commits_before(whole, at, folder() / "imported.safetensors", kind() == "power_loss") > 0;
    EXPECT_TRUE(read(folder() / "imported.safetensors") == (committed ? imported : old)) << "it is not whole";
    const bool alone = std::distance(fs::directory_iterator(folder()), {}) == 1;
    EXPECT_TRUE(alone || kind() != "error") << "a temporary stays";
  }
}

constexpr std::array kKinds{"kill", "power_loss", "error"};
const auto kName = [](const auto& info) { return std::string(info.param); };
INSTANTIATE_TEST_SUITE_P(Faults, InterruptedTraining, ::testing::ValuesIn(kKinds), kName);
INSTANTIATE_TEST_SUITE_P(Faults, InterruptedWrite, ::testing::ValuesIn(kKinds), kName);

class SlowDisk : public InterruptedTraining {};

TEST_P(SlowDisk, ShortWritesAndSignalsChangeNothing) {
  train_undisturbed("1");
  fs::remove_all(folder());
  const ProcessResult result = run_disturbed(train_words("1"), kind(), 0);
  ASSERT_EQ(result.code, 0) << result.error;
  for (const auto& [file, versions] : versions_) EXPECT_TRUE(read(folder() / file) == versions.back()) << file;
}
INSTANTIATE_TEST_SUITE_P(Faults, SlowDisk, ::testing::Values("trickle"), kName);

}  // namespace
}  // namespace graft::testing
