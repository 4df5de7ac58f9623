#include "transfer/search_workers.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include "engine/base/error.h"
#include "transfer/folder_error.h"
#include "transfer/progress.h"

namespace graft {
namespace {

class SearchWorkers {
 public:
  SearchWorkers(const SearchTrainings& trainings, const RunnerOptions& options, std::int64_t steps_per_run)
      : trainings_(trainings),
        options_(options),
        pool_(trainings.runs, trainings.ended),
        progress_(std::ssize(trainings.runs), std::ssize(trainings.ended), steps_per_run) {}

  void run(int count, std::atomic<bool>& halt) {
    active_ = count;
    std::vector<std::jthread> threads;
    threads.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
    std::unique_lock lock(mutex_);
    while (active_ > 0) {
      finished_.wait_for(lock, std::chrono::milliseconds(100));
      const bool asked = options_.stop != nullptr && options_.stop->load();
      if (asked || pool_.error()) {
        halt = true;
        pool_.stop();
      }
      progress_.refresh();
    }
  }

  std::exception_ptr error() const { return pool_.error(); }
  bool all_ended() const { return ended_ + std::ssize(trainings_.ended) == std::ssize(trainings_.runs); }

 private:
  /// All work on a backend, its making included, is done by the one thread that owns it.
  void work() noexcept {
    try {
      const std::unique_ptr<Backend> backend = backend_registry().make(options_.device, options_.backend);
      while (const RunSpec* run = pool_.take()) {
        progress_.run_started();
        if (!train(*run, *backend)) break;
      }
    } catch (...) {
      pool_.stop_for(std::current_exception());
    }
    const std::scoped_lock lock(mutex_);
    --active_;
    finished_.notify_all();
  }

  /// False if it was interrupted. Lets FolderError and a device's failure pass: those end the search.
  bool train(const RunSpec& run, Backend& backend) {
    const RunEnvironment& environment = trainings_.environment_of(run);
    try {
      if (pool_.base_failed(run)) {
        finish(run, failed_result(run, environment, fmt::format("base {} failed", run.depends_on)));
      } else {
        RunResult result = execute_run(run, environment, backend, progress_.steps());
        result.choices = backend.choices();
        finish(run, result);
      }
    } catch (const FolderError&) {
      throw;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) return false;
      if (error.kind() == ErrorKind::device) throw;
      finish(run, failed_result(run, environment, error.what()));
    } catch (const std::exception& error) {
      finish(run, failed_result(run, environment, error.what()));
    }
    return true;
  }

  void finish(const RunSpec& run, const RunResult& result) {
    const bool ok = result.status == "ok";
    {
      const std::scoped_lock lock(mutex_);
      trainings_.record(run, result);
      ++ended_;
      const std::string what = fmt::format("{} cut {} on {} seed {}", label_of(result), run.cut, run.target, run.seed);
      progress_.run_ended(ok ? fmt::format("{}: top-1 {:.4f}, {:.1f} s", what, result.top1, result.seconds)
                             : fmt::format("{}: failed: {}", what, result.error),
                          !ok);
    }
    pool_.finish(run, ok ? RunEnd::ok : RunEnd::failed);
  }

  const SearchTrainings& trainings_;
  const RunnerOptions& options_;
  RunnerPool pool_;
  Progress progress_;
  std::mutex mutex_;  ///< of ended_ and active_
  std::condition_variable finished_;
  std::int64_t ended_ = 0;
  int active_ = 0;
};

/// What the progress line counts with: the first of the runs that are left.
std::int64_t steps_of_a_run(const SearchTrainings& trainings) {
  for (const RunSpec& run : trainings.runs) {
    if (trainings.ended.contains(run.id)) continue;
    const RunEnvironment& environment = trainings.environment_of(run);
    const TrainingSettings training = training_of(environment.study, run);
    const HalfData half = open_half(environment.study, environment.data, run);
    return total_steps(training, steps_per_epoch(*half.train, training));
  }
  return 1;
}

}  // namespace

bool train_all(const SearchTrainings& trainings, const RunnerOptions& options, std::atomic<bool>& halt) {
  const std::int64_t left = std::ssize(trainings.runs) - std::ssize(trainings.ended);
  if (left == 0) return true;
  SearchWorkers workers(trainings, options, steps_of_a_run(trainings));
  workers.run(static_cast<int>(std::min<std::int64_t>(options.jobs, left)), halt);
  if (workers.error()) std::rethrow_exception(workers.error());
  return workers.all_ended();
}

}  // namespace graft
