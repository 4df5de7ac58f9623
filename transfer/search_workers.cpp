#include "transfer/search_workers.h"

#include <algorithm>
#include <exception>
#include <mutex>

#include "transfer/half_data.h"
#include "transfer/progress.h"
#include "transfer/runner_workers.h"

namespace graft {
namespace {

/// What the progress line counts with: the first of the runs that are left.
std::int64_t steps_of_a_run(const SearchTrainings& trainings) {
  for (const RunSpec& run : trainings.runs) {
    if (trainings.ended.contains(run.id)) continue;
    const RunEnvironment environment = trainings.environment_of(run);
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
  RunnerPool pool(trainings.runs, trainings.ended);
  Progress progress(std::ssize(trainings.runs), std::ssize(trainings.ended), steps_of_a_run(trainings));
  std::mutex recording;
  std::int64_t ended = 0;
  RunnerWorkers workers({.device = options.device, .backend = options.backend, .stop = options.stop}, pool, progress,
                        {.environment_of = trainings.environment_of,
                         .record =
                             [&](const RunSpec& run, const RunResult& result) {
                               const std::scoped_lock lock(recording);
                               trainings.record(run, result);
                               ++ended;
                               return true;
                             },
                         .stop_all = [&] { halt = true; }});
  workers.run(static_cast<int>(std::min<std::int64_t>(options.jobs, left)));
  if (pool.error()) std::rethrow_exception(pool.error());
  return ended == left;
}

}  // namespace graft
