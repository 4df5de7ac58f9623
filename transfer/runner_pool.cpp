#include "transfer/runner_pool.h"

#include <algorithm>
#include <utility>

#include "engine/base/error.h"

namespace graft {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kShortestPause{50};
constexpr std::chrono::milliseconds kLongestPause{1000};

}  // namespace

RunnerPool::RunnerPool(const std::vector<RunSpec>& runs, const std::map<std::string, RunEnd>& ended, Claim claim)
    : runs_(runs), claim_(std::move(claim)), pause_(kShortestPause) {
  states_.reserve(runs.size());
  for (const RunSpec& run : runs) {
    const auto found = ended.find(run.id);
    states_.push_back(found == ended.end() ? State::waiting
                                           : (found->second == RunEnd::ok ? State::done : State::failed));
  }
}

std::size_t RunnerPool::index_of(const std::string& id) const {
  const auto found = std::find_if(runs_.begin(), runs_.end(), [&](const RunSpec& run) { return run.id == id; });
  check(found != runs_.end(), "[plan] run {} is not in the plan", id);
  return static_cast<std::size_t>(found - runs_.begin());
}

RunnerPool::State RunnerPool::base_state(std::size_t index) const {
  const std::string& base = runs_[index].depends_on;
  return base.empty() ? State::done : states_[index_of(base)];
}

/// True if the run is this process's now.
bool RunnerPool::claim_locked(std::size_t index, bool& changed) {
  switch (claim_ ? claim_(runs_[index]) : RunClaim::taken) {
    case RunClaim::taken:
      states_[index] = State::running;
      return true;
    case RunClaim::elsewhere:
      states_[index] = State::elsewhere;
      return false;
    case RunClaim::ok:
      states_[index] = State::done;
      break;
    case RunClaim::failed:
      states_[index] = State::failed;
      break;
  }
  changed = true;
  return false;
}

const RunSpec* RunnerPool::take() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    const bool look = Clock::now() >= next_look_;
    bool left = false;
    bool elsewhere = false;
    bool changed = false;
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      if (states_[i] != State::waiting && states_[i] != State::elsewhere) continue;
      left = true;
      const State base = base_state(i);
      const bool can_start = base == State::done || base == State::failed;
      if (can_start && (states_[i] == State::waiting || look) && claim_locked(i, changed)) {
        pause_ = kShortestPause;
        return &runs_[i];
      }
      elsewhere = elsewhere || states_[i] == State::elsewhere;
    }
    // What is left waits for a base that is running, here or elsewhere; nothing left, nothing will come.
    if (!left) break;
    if (look) {
      pause_ = changed ? kShortestPause : std::min(pause_ * 2, kLongestPause);
      next_look_ = Clock::now() + pause_;
    }
    if (changed) {
      changed_.notify_all();
    } else if (elsewhere) {
      changed_.wait_until(lock, next_look_);
    } else {
      changed_.wait(lock);
    }
  }
  return nullptr;
}

bool RunnerPool::base_failed(const RunSpec& run) const {
  const std::scoped_lock lock(mutex_);
  return base_state(index_of(run.id)) == State::failed;
}

void RunnerPool::finish(const RunSpec& run, RunEnd end) {
  const std::scoped_lock lock(mutex_);
  states_[index_of(run.id)] = end == RunEnd::ok ? State::done : State::failed;
  changed_.notify_all();
}

void RunnerPool::lose(const RunSpec& run) {
  const std::scoped_lock lock(mutex_);
  states_[index_of(run.id)] = State::elsewhere;
  changed_.notify_all();
}

void RunnerPool::stop() {
  const std::scoped_lock lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

void RunnerPool::stop_for(std::exception_ptr error) {
  const std::scoped_lock lock(mutex_);
  if (!error_) error_ = std::move(error);
  stopped_ = true;
  changed_.notify_all();
}

std::exception_ptr RunnerPool::error() const {
  const std::scoped_lock lock(mutex_);
  return error_;
}

}  // namespace graft
