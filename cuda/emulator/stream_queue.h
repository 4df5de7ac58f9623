#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace graft::cuda::emulator {

/// The work of a stream in its order: done when it is given, or, deferred, when somebody waits for it.
class StreamQueue {
 public:
  explicit StreamQueue(bool deferred) : deferred_(deferred) {}

  void give(std::function<void()> work);
  /// How much has been given so far: a mark that an event keeps.
  std::uint64_t position() const;
  /// True iff all work before the mark is done.
  bool passed(std::uint64_t position) const;
  /// Does all work before the mark; that of other streams too, where this one waits for it.
  void run_until(std::uint64_t position);
  void run_all() { run_until(position()); }

 private:
  const bool deferred_;
  mutable std::recursive_mutex mutex_;
  std::deque<std::function<void()>> waiting_;
  std::uint64_t given_ = 0;
  std::uint64_t done_ = 0;
};

}  // namespace graft::cuda::emulator
