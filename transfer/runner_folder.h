#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/io/descriptor.h"
#include "transfer/manifest.h"
#include "transfer/plan.h"
#include "transfer/record.h"

namespace graft {

/// A study's folder while one process works on it:
///   study.yaml, manifest.json, results.jsonl, lock, runs/<id>/{log.txt, checkpoint.safetensors}, features/
class RunnerFolder {
 public:
  /// Creates the folder where it is missing and locks it until destruction, or the end of the process however it comes.
  /// Throws Error(failure) if another process holds it or it cannot be written.
  explicit RunnerFolder(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path study_file() const { return path_ / "study.yaml"; }
  std::filesystem::path results_file() const { return path_ / "results.jsonl"; }
  /// The study that the folder was made for, empty for a new folder. Throws Error(data) if there are results but none.
  std::string study_text() const;

  /// Throws Error(data), naming what differs, unless the folder is new or `present` could have made it.
  void check_same(const Manifest& present) const;
  /// Reads the record and leaves in it what counts: one line a run, no failed one (those are tried again), no base
  /// whose checkpoint is missing while a run that waits for it is still to come. Cuts off a torn last line. Throws
  /// Error(data) for runs that are not in the plan.
  std::vector<RunResult> take_up(const Plan& plan);
  /// Throws Error(data) unless all results come from the program `binary`.
  void check_binary(const std::vector<RunResult>& results, const std::string& binary) const;

 private:
  std::filesystem::path path_;
  Descriptor lock_;
};

/// The first lines of a study's results that count, see RunnerFolder::take_up.
std::vector<RunResult> results_to_keep(const std::vector<RunResult>& all, const Plan& plan,
                                       const std::filesystem::path& folder);

}  // namespace graft
