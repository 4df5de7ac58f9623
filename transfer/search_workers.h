#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "transfer/executor.h"
#include "transfer/runner.h"
#include "transfer/runner_pool.h"

namespace graft {

/// Trainings of one phase of a search, with the base networks that they copy from.
struct SearchTrainings {
  std::vector<RunSpec> runs;                                     ///< bases first
  std::map<std::string, RunEnd> ended;                           ///< those of them that are recorded
  std::function<RunEnvironment(const RunSpec&)> environment_of;  ///< with the flag that ends them all
  std::function<void(const RunSpec&, const RunResult&)> record;  ///< called by one thread at a time
};

/// Trains what has not ended, options.jobs at a time; a run that fails is recorded, as are those that copy from it, and
/// the rest go on. True iff all have ended: false after options.stop, which `halt` passes on to the environments' runs.
/// Throws FolderError as soon as the folder cannot be written, Error(device) for a failing device.
bool train_all(const SearchTrainings& trainings, const RunnerOptions& options, std::atomic<bool>& halt);

}  // namespace graft
