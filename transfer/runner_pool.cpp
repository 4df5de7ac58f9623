#include "transfer/runner_pool.h"

#include <algorithm>
#include <utility>

#include "engine/base/error.h"

namespace graft {

RunnerPool::RunnerPool(const std::vector<RunSpec>& runs, const std::set<std::string>& done) : runs_(runs) {
  states_.reserve(runs.size());
  for (const RunSpec& run : runs) states_.push_back(done.contains(run.id) ? State::done : State::waiting);
}

std::size_t RunnerPool::index_of(const std::string& id) const {
  const auto found = std::find_if(runs_.begin(), runs_.end(), [&](const RunSpec& run) { return run.id == id; });
  check(found != runs_.end(), "[plan] run {} is not in the plan", id);
  return static_cast<std::size_t>(found - runs_.begin());
}

bool RunnerPool::ready(std::size_t index) const {
  if (states_[index] != State::waiting) return false;
  const std::string& base = runs_[index].depends_on;
  return base.empty() || states_[index_of(base)] == State::done;
}

const RunSpec* RunnerPool::take() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      if (!ready(i)) continue;
      states_[i] = State::running;
      return &runs_[i];
    }
    // Without a waiting run nothing will come; with one, its base is running.
    if (std::find(states_.begin(), states_.end(), State::waiting) == states_.end()) break;
    changed_.wait(lock);
  }
  return nullptr;
}

std::vector<const RunSpec*> RunnerPool::finish(const RunSpec& run, RunEnd end) {
  const std::scoped_lock lock(mutex_);
  states_[index_of(run.id)] = end == RunEnd::ok ? State::done : State::failed;
  std::vector<const RunSpec*> lost;
  for (std::size_t i = 0; i < runs_.size() && end == RunEnd::failed; ++i) {
    if (runs_[i].depends_on != run.id || states_[i] != State::waiting) continue;
    states_[i] = State::failed;
    lost.push_back(&runs_[i]);
  }
  changed_.notify_all();
  return lost;
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
