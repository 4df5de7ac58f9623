#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "transfer/feature_cache.h"
#include "transfer/plan.h"
#include "transfer/record.h"
#include "transfer/subgroups.h"

namespace graft {

/// What all runs of a study share. Nothing here changes while they run but the cache, which is thread-safe.
struct RunEnvironment {
  Study study;
  StudyData data;
  Subgroups subgroups{};             ///< of the test images
  std::filesystem::path folder;      ///< the study's
  FeatureCache* features = nullptr;  ///< nullptr: prefixes are recomputed
  std::string binary;                ///< SHA-256 of the program
  std::map<std::string, std::string> versions;
  const std::atomic<bool>* stop = nullptr;  ///< true: end at the next step
};

/// Trains and tests one network, writes its log and checkpoint and returns its record. `steps_done` counts training
/// steps as they are made. Throws Error(interrupted) soon after `stop`, FolderError if the folder cannot be written,
/// and Error for whatever is wrong with this run alone.
RunResult execute_run(const RunSpec& run, const RunEnvironment& environment, Backend& backend,
                      std::atomic<std::int64_t>& steps_done);

/// Tests the checkpoint that a run has left once more: a record with its answers (top1, correct, n_test). Writes
/// nothing. Throws Error(data) if the checkpoint cannot be read.
RunResult test_again(const RunSpec& run, const RunEnvironment& environment, Backend& backend);

/// A record of this run without results: status "failed".
RunResult failed_result(const RunSpec& run, const RunEnvironment& environment, const std::string& error);

}  // namespace graft
