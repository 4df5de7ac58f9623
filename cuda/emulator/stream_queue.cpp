#include "cuda/emulator/stream_queue.h"

#include <utility>

namespace graft::cuda::emulator {

void StreamQueue::give(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  ++given_;
  waiting_.push_back(std::move(work));
  if (!deferred_) run_until(given_);
}

std::uint64_t StreamQueue::position() const {
  const std::lock_guard lock(mutex_);
  return given_;
}

bool StreamQueue::passed(std::uint64_t position) const {
  const std::lock_guard lock(mutex_);
  return done_ >= position;
}

void StreamQueue::run_until(std::uint64_t position) {
  const std::lock_guard lock(mutex_);
  while (done_ < position && !waiting_.empty()) {
    const std::function<void()> work = std::move(waiting_.front());
    waiting_.pop_front();
    ++done_;  // counted first: work that fails is not done twice
    work();
  }
}

}  // namespace graft::cuda::emulator
