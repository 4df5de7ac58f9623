#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "transfer/plan.h"

namespace graft {

/// How a run ended.
enum class RunEnd { ok, failed };

/// What other processes that train the same study leave of a run.
enum class RunClaim {
  taken,      ///< it is this process's now
  elsewhere,  ///< another process is at it
  ok,         ///< another process has recorded it
  failed
};

/// Gives out the runs of a plan, in its order, each once, those with a base only after it. Thread-safe.
class RunnerPool {
 public:
  /// Asks for a run on behalf of this process. Called by one thread at a time, again and again where the answer is
  /// `elsewhere`. May throw, which take() passes on.
  using Claim = std::function<RunClaim(const RunSpec&)>;

  /// Runs in `ended` are not given out. Without `claim` there are no other processes.
  RunnerPool(const std::vector<RunSpec>& runs, const std::map<std::string, RunEnd>& ended, Claim claim = {});

  /// The next run that can start, or whose base has failed (see base_failed): waits for one. Nothing when all have
  /// ended, here or elsewhere, or are given out here, or after stop().
  const RunSpec* take();
  /// True if the run's base failed: nothing is left to do but to record that.
  bool base_failed(const RunSpec& run) const;
  /// Ends a run that was taken.
  void finish(const RunSpec& run, RunEnd end);
  /// A run that was taken is another process's now.
  void lose(const RunSpec& run);
  /// take() gives nothing any more.
  void stop();
  /// Stops because of an error that ends the study; the first one is kept.
  void stop_for(std::exception_ptr error);
  std::exception_ptr error() const;

 private:
  enum class State { waiting, elsewhere, running, done, failed };

  std::size_t index_of(const std::string& id) const;
  State base_state(std::size_t index) const;
  bool claim_locked(std::size_t index, bool& changed);

  const std::vector<RunSpec>& runs_;
  const Claim claim_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<State> states_;
  std::chrono::steady_clock::time_point next_look_{};  ///< at runs that are elsewhere
  std::chrono::milliseconds pause_;                    ///< between two looks that find nothing new
  bool stopped_ = false;
  std::exception_ptr error_;
};

}  // namespace graft
