#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "transfer/manifest.h"
#include "transfer/runner.h"
#include "transfer/verification.h"

namespace graft {

/// A folder against what it says of itself, as far as studies and searches are alike. Each check adds its faults to
/// found().
class FolderCheck {
 public:
  /// Throws Error(data) unless the folder has a manifest.
  explicit FolderCheck(VerificationOptions options);

  const VerificationOptions& options() const { return options_; }
  const std::filesystem::path& folder() const { return options_.folder; }
  std::filesystem::path study_file() const { return folder() / "study.yaml"; }
  const Manifest& manifest() const { return manifest_; }

  Verification& found() { return found_; }
  bool sound() const { return found_.faults.empty(); }
  template <class... Args>
  void fault(fmt::format_string<Args...> text, Args&&... args) {
    found_.faults.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  /// A file against its hash.
  void compare(const std::filesystem::path& file, const std::string& hash);
  void compare_study() { compare(study_file(), manifest_.study_sha256); }
  /// Every line of a record against its own hash.
  void compare_lines(const std::filesystem::path& record);
  /// The published weights that the source is, where they are.
  void compare_source_weights();
  /// The images of the study's data sets against their hashes.
  void compare_data();
  /// The device, if it can compute again what was computed; a note and nullptr for another one.
  std::unique_ptr<Backend> same_backend();
  /// The study as the folder has it.
  PreparedStudy prepare() const;

 private:
  VerificationOptions options_;
  Manifest manifest_;
  Verification found_;
};

}  // namespace graft
