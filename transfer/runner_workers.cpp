#include "transfer/runner_workers.h"

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/log.h"
#include "transfer/folder_error.h"

namespace graft {

RunEnd end_of(const RunResult& result) { return result.status == "ok" ? RunEnd::ok : RunEnd::failed; }

void RunnerWorkers::run(int count) {
  active_ = count;
  std::vector<std::jthread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
  std::unique_lock lock(mutex_);
  while (active_ > 0) {
    ended_.wait_for(lock, std::chrono::milliseconds(100));
    const bool asked = options_.stop != nullptr && options_.stop->load();
    if (asked || pool_.error()) {
      pool_.stop();
      hooks_.stop_all();
    }
    progress_.refresh();
  }
}

/// All work on a backend, its making included, is done by the one thread that owns it.
void RunnerWorkers::work() noexcept {
  try {
    const std::unique_ptr<Backend> backend = backend_registry().make(options_.device, options_.backend);
    while (const RunSpec* run = pool_.take()) {
      if (pool_.base_failed(*run)) {
        finish(*run, failed_result(*run, hooks_.environment_of(*run), fmt::format("base {} failed", run->depends_on)));
        continue;
      }
      progress_.run_started();
      if (!execute(*run, *backend)) break;
    }
  } catch (...) {
    pool_.stop_for(std::current_exception());
  }
  const std::scoped_lock lock(mutex_);
  --active_;
  ended_.notify_all();
}

/// False if it was interrupted. Lets FolderError and a device's failure pass: those end the study.
bool RunnerWorkers::execute(const RunSpec& run, Backend& backend) {
  const RunEnvironment environment = hooks_.environment_of(run);
  try {
    RunResult result = execute_run(run, environment, backend, progress_.steps());
    result.choices = backend.choices();
    finish(run, result);
  } catch (const FolderError&) {
    throw;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) {
      if (!hooks_.holds || hooks_.holds(run)) return false;
      lose(run);
      return true;
    }
    if (error.kind() == ErrorKind::device) throw;
    finish(run, failed_result(run, environment, error.what()));
  } catch (const std::exception& error) {
    finish(run, failed_result(run, environment, error.what()));
  }
  return true;
}

void RunnerWorkers::finish(const RunSpec& run, const RunResult& result) {
  if (!hooks_.record(run, result)) return lose(run);
  pool_.finish(run, end_of(result));
  const std::string what =
      fmt::format("{} cut {} on {} of {} seed {}", label_of(result), run.cut, run.target, run.split.name, run.seed);
  if (result.status == "ok") {
    progress_.run_ended(fmt::format("{}: top-1 {:.4f}, {:.1f} s", what, result.top1, result.seconds), false);
  } else {
    progress_.run_ended(fmt::format("{}: failed: {}", what, result.error), true);
  }
}

/// This process gave no sign of life for so long that another one has taken the run over.
void RunnerWorkers::lose(const RunSpec& run) {
  log_warning("run {} was taken over by another process", run.id);
  progress_.run_lost();
  pool_.lose(run);
}

}  // namespace graft
