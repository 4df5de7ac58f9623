#pragma once

#include "cuda/platform.h"
#include "cuda/runtime/stream.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// A mark in a stream's work. One that was never recorded counts as passed.
class Event {
 public:
  enum class Timing { off, on };  ///< with timing an event costs more

  explicit Event(Timing timing = Timing::off);
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  cudaEvent_t handle() const { return handle_; }
  /// Marks the end of all work given to `stream` so far; an earlier mark is forgotten.
  void record(const Stream& stream) const;
  /// The host waits for the mark; throws Error(device) if work before it failed.
  void synchronize() const;
  /// True iff the mark has been passed.
  bool passed() const;
  /// Milliseconds from `start` to this mark, both with timing and both passed.
  float milliseconds_since(const Event& start) const;

 private:
  cudaEvent_t handle_ = nullptr;
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
