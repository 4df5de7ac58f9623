#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "transfer/manifest.h"
#include "transfer/plan.h"
#include "transfer/record.h"

namespace graft {

/// A study's folder as those that work on it see it:
///   study.yaml, manifest.json, results.jsonl, leases/, runs/<id>/{log.txt, checkpoint.safetensors}, features/
class RunnerFolder {
 public:
  /// Creates the folder where it is missing. Throws Error(failure) if it cannot be, Error(data) if it holds a search.
  explicit RunnerFolder(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path study_file() const { return path_ / "study.yaml"; }
  std::filesystem::path results_file() const { return path_ / "results.jsonl"; }
  /// The study that the folder was made for, empty for a new folder. Throws Error(data) if there are results but none.
  std::string study_text() const;

  /// Throws Error(data), naming what differs, unless the folder is new or `present` could have made it.
  void check_same(const Manifest& present) const;
  /// What counts of all records: one line a run, no failed one, no base whose checkpoint is missing while a run that
  /// waits for it is still to come. Throws Error(data) for runs that are not in the plan.
  std::vector<RunResult> results(const Plan& plan) const;
  /// The same, and results.jsonl becomes it: a torn last line is cut off, failed runs are to be tried again, the
  /// records of processes that were killed become part of it, and what those left half written goes. To be called while
  /// nobody else works.
  std::vector<RunResult> take_up(const Plan& plan);
  /// Throws Error(data) unless all results come from the program `binary`.
  void check_binary(const std::vector<RunResult>& results, const std::string& binary) const;

 private:
  std::vector<RunResult> read_planned(const Plan& plan) const;

  std::filesystem::path path_;
};

/// The lines of a study's results that count, see RunnerFolder::results.
std::vector<RunResult> results_to_keep(const std::vector<RunResult>& all, const Plan& plan,
                                       const std::filesystem::path& folder);
/// Makes results.jsonl of all records of a folder, each run once, by its last line. Nothing changes where it is the
/// only one. Killed at any moment it loses nothing: what stands in two records counts once.
void merge_records(const std::filesystem::path& folder);

}  // namespace graft
