#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/tools/graft_process.h"

namespace graft::testing {

/// A small study on invented images in Fashion-MNIST's own files: 12 training and 4 test images a class, striped by
/// class under Philox noise; convnet6, one epoch, cuts 1 and 3, all treatments.
class StudyFolderTest : public ::testing::Test {
 protected:
  StudyFolderTest();
  ~StudyFolderTest() override;

  /// "study ACTION STUDY --data-dir ... --output folder", and more.
  std::vector<std::string> words(const std::string& action, const std::vector<std::string>& more = {},
                                 const std::string& output = "results") const;
  ProcessResult run(const std::vector<std::string>& more = {}, const std::string& output = "results",
                    const ProcessOptions& options = {}) const {
    return run_graft(words("run", more, output), options);
  }
  /// Replaces text in the study file; it must be there.
  void edit_study(const std::string& from, const std::string& to) const;
  void write(const std::filesystem::path& path, const std::string& text) const;
  std::string read(const std::filesystem::path& path) const;
  /// What two equal records share: sorted, without seconds.
  std::vector<std::string> record(const std::string& output = "results") const;

  std::filesystem::path path(const std::string& name) const { return root_ / name; }
  std::filesystem::path data() const { return root_ / "data"; }

 private:
  std::filesystem::path root_;
};

/// Expects a process to have ended with `code` and one line on stderr that starts with "graft: " and holds all `parts`.
void expect_one_line(const ProcessResult& result, int code, const std::vector<std::string>& parts);

}  // namespace graft::testing
