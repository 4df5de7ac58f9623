#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>

#include "engine/backend/backend.h"
#include "engine/backend/registry.h"
#include "transfer/executor.h"
#include "transfer/progress.h"
#include "transfer/runner_pool.h"
#include "transfer/study_process.h"

namespace graft {

RunEnd end_of(const RunResult& result);

/// The workers of one study: threads that take runs from a pool, each with a backend of its own.
class RunnerWorkers {
 public:
  struct Options {
    std::string device{};  ///< a kind of the backend registry
    BackendOptions backend{};
    const std::atomic<bool>* stop = nullptr;  ///< true: stop at the next step
  };
  /// All must outlive the workers. `process` must have claimed what `pool` gives out.
  RunnerWorkers(const Options& options, const RunEnvironment& environment, RunnerPool& pool, StudyProcess& process,
                Progress& progress)
      : options_(options), environment_(environment), pool_(pool), process_(process), progress_(progress) {}

  /// Runs `count` of them until the pool is empty or stopped. What ended the study early is the pool's error().
  void run(int count);

 private:
  void work() noexcept;
  bool execute(const RunSpec& run, Backend& backend);
  void finish(const RunSpec& run, const RunResult& result);
  void lose(const RunSpec& run);

  Options options_;
  const RunEnvironment& environment_;
  RunnerPool& pool_;
  StudyProcess& process_;
  Progress& progress_;
  std::mutex mutex_;  ///< of active_
  std::condition_variable ended_;
  int active_ = 0;
};

}  // namespace graft
