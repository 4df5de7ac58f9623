#include "transfer/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/base/log.h"

namespace graft {

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::max(0.0, seconds)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

Progress::Progress(std::int64_t total, std::int64_t done, std::int64_t steps_per_run)
    : terminal_(isatty(STDERR_FILENO) == 1), total_(total), steps_per_run_(steps_per_run), already_(done) {}

Progress::~Progress() {
  const std::scoped_lock lock(mutex_);
  clear_line_locked();
}

void Progress::run_started() {
  const std::scoped_lock lock(mutex_);
  ++running_;
}

void Progress::run_ended(const std::string& line, bool failed) {
  const std::scoped_lock lock(mutex_);
  if (running_ > 0) --running_;
  ++ended_;
  if (failed) ++failed_;
  clear_line_locked();
  if (!terminal_ || failed) log_line(fmt::format("[{}] {}", status_locked(), line));
}

void Progress::run_lost() {
  const std::scoped_lock lock(mutex_);
  if (running_ > 0) --running_;
}

void Progress::run_ended_elsewhere(bool failed) {
  const std::scoped_lock lock(mutex_);
  ++already_;
  if (failed) ++failed_;
}

void Progress::refresh() {
  if (!terminal_) return;
  const std::scoped_lock lock(mutex_);
  const std::int64_t done = already_ + ended_;
  constexpr std::int64_t kWidth = 24;
  const std::int64_t filled = total_ == 0 ? kWidth : kWidth * done / total_;
  std::fprintf(stderr, "\r\033[K[%s%s] %s", std::string(static_cast<std::size_t>(filled), '#').c_str(),
               std::string(static_cast<std::size_t>(kWidth - filled), '.').c_str(), status_locked().c_str());
  std::fflush(stderr);
  drawn_ = true;
}

std::string Progress::status() const {
  const std::scoped_lock lock(mutex_);
  return status_locked();
}

/// The rate counts unfinished runs by their steps, so that the first estimate does not wait for the first run to end.
std::string Progress::status_locked() const {
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const double by_steps = static_cast<double>(steps_.load(std::memory_order_relaxed)) /
                          static_cast<double>(std::max<std::int64_t>(1, steps_per_run_));
  const double progressed = std::clamp(by_steps, static_cast<double>(ended_), static_cast<double>(ended_ + running_));
  const double left = static_cast<double>(total_ - already_) - progressed;
  std::string text = fmt::format("{}/{} done", already_ + ended_, total_);
  if (failed_ > 0) text += fmt::format(", {} failed", failed_);
  text += fmt::format(", {} running", running_);
  if (progressed > 0.0 && elapsed > 0.0) {
    text += fmt::format(", {:.1f} runs/min, ETA {}", 60.0 * progressed / elapsed,
                        duration_text(left * elapsed / progressed));
  }
  return text;
}

void Progress::clear_line_locked() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

}  // namespace graft
