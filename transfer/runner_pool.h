#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "transfer/plan.h"

namespace graft {

/// How a run ended.
enum class RunEnd { ok, failed };

/// Gives out the runs of a plan, in its order, each once, those with a base only after it. Thread-safe.
class RunnerPool {
 public:
  /// Runs in `done` are not given out.
  RunnerPool(const std::vector<RunSpec>& runs, const std::set<std::string>& done);

  /// The next run that can start; waits for one. Nothing when all are given out or after stop().
  const RunSpec* take();
  /// Ends a run that was taken. Returns the runs that can never start now, because their base failed.
  std::vector<const RunSpec*> finish(const RunSpec& run, RunEnd end);
  /// take() gives nothing any more.
  void stop();
  /// Stops because of an error that ends the study; the first one is kept.
  void stop_for(std::exception_ptr error);
  std::exception_ptr error() const;

 private:
  enum class State { waiting, running, done, failed };

  std::size_t index_of(const std::string& id) const;
  bool ready(std::size_t index) const;

  const std::vector<RunSpec>& runs_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<State> states_;
  bool stopped_ = false;
  std::exception_ptr error_;
};

}  // namespace graft
