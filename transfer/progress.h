#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace graft {

/// "42 s", "3 min 05 s", "1 h 12 min".
std::string duration_text(double seconds);

/// How far a study is: one line that renews itself on a terminal, a plain line for every finished run elsewhere; always
/// on stderr. Thread-safe.
class Progress {
 public:
  /// `total` runs, `done` of them by an earlier process; `steps_per_run` training steps each.
  Progress(std::int64_t total, std::int64_t done, std::int64_t steps_per_run);
  /// Ends the terminal's line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// To be incremented as training steps are made.
  std::atomic<std::int64_t>& steps() { return steps_; }
  void run_started();
  /// A run has ended, `line` says how. Its `steps` (those of a finished run, or fewer) leave the running ones.
  void run_ended(const std::string& line, bool failed);
  /// A run that was started here goes on elsewhere.
  void run_lost();
  /// Another process has ended a run.
  void run_ended_elsewhere(bool failed);
  /// Renews the terminal's line; to be called a few times a second.
  void refresh();
  /// "12/93 done, 2 running, 24.1 runs/min, ETA 3 min 21 s"
  std::string status() const;

 private:
  std::string status_locked() const;
  void clear_line_locked();

  const bool terminal_;
  const std::int64_t total_;
  const std::int64_t steps_per_run_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::atomic<std::int64_t> steps_ = 0;
  mutable std::mutex mutex_;
  std::int64_t already_;  ///< ended by other processes
  std::int64_t ended_ = 0;
  std::int64_t failed_ = 0;
  std::int64_t running_ = 0;
  bool drawn_ = false;
};

}  // namespace graft
