#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "engine/backend/backend.h"
#include "engine/backend/registry.h"
#include "transfer/executor.h"
#include "transfer/progress.h"
#include "transfer/runner_pool.h"

namespace graft {

RunEnd end_of(const RunResult& result);

/// What workers ask of whoever owns the runs. All but stop_all are called by several threads at a time.
struct WorkerHooks {
  std::function<RunEnvironment(const RunSpec&)> environment_of;  ///< its stop flag ends that run
  /// False: another process has the run now, and nothing was recorded.
  std::function<bool(const RunSpec&, const RunResult&)> record;
  std::function<bool(const RunSpec&)> holds{};  ///< of a run that was stopped: false as above; unset: true
  std::function<void()> stop_all;               ///< ends the runs in progress
};

/// Threads that take runs from a pool, each with a backend of its own.
class RunnerWorkers {
 public:
  struct Options {
    std::string device{};  ///< a kind of the backend registry
    BackendOptions backend{};
    const std::atomic<bool>* stop = nullptr;  ///< true: stop at the next step
  };
  /// Pool and progress must outlive the workers.
  RunnerWorkers(const Options& options, RunnerPool& pool, Progress& progress, WorkerHooks hooks)
      : options_(options), pool_(pool), progress_(progress), hooks_(std::move(hooks)) {}

  /// Runs `count` of them until the pool is empty or stopped. What ended the study early is the pool's error().
  void run(int count);

 private:
  void work() noexcept;
  bool execute(const RunSpec& run, Backend& backend);
  void finish(const RunSpec& run, const RunResult& result);
  void lose(const RunSpec& run);

  Options options_;
  RunnerPool& pool_;
  Progress& progress_;
  WorkerHooks hooks_;
  std::mutex mutex_;  ///< of active_
  std::condition_variable ended_;
  int active_ = 0;
};

}  // namespace graft
