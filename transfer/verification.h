#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/backend/registry.h"
#include "transfer/study_data.h"

namespace graft {

struct VerificationOptions {
  std::filesystem::path folder;  ///< a study's results, or a search's
  DataFolders data;
  std::string device = "cpu";
  BackendOptions backend{.threads = 1};
  bool evaluate = true;  ///< test every kept network once more
};

/// What a results folder says against itself.
struct Verification {
  std::vector<std::string> faults;  ///< a line each, naming the file, run or data set that changed
  std::vector<std::string> notes;   ///< what could not be looked at, and why
  std::int64_t lines = 0;           ///< of results.jsonl or search.jsonl, each with its own hash
  std::int64_t files = 0;           ///< weights and logs whose hashes were compared
  std::int64_t tested = 0;          ///< networks that were tested again
};

/// Recomputes what a study's folder claims: the hashes of study.yaml, of each line of results.jsonl, of each run's
/// files, of data and splits; the ids of runs; the accuracy of every checkpoint; and the report from results.jsonl. It
/// shows damage, not forgery: who changes a file and every hash of it is not found out. Throws Error(data) if the
/// folder is no study's, Error(usage) for an unknown device.
Verification verify_study(const VerificationOptions& options);

}  // namespace graft
