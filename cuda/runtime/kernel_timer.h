#pragma once

#include <deque>
#include <vector>

#include "cuda/platform.h"
#include "cuda/runtime/event.h"
#include "cuda/runtime/stream.h"
#include "engine/backend/kernel_times.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Times all that is given to a stream while it lives, each launch, copy and library call by an event before it and one
/// behind it. The stream is held for the first kHold, so that the host is ahead of the device and the time between two
/// events is the kernel's, not the host's; where there are more than a queue takes (some hundreds), later ones may have
/// the host's time too. An event adds about a microsecond.
class KernelTimer {
 public:
  /// Throws Error(failure) if the stream has a timer already.
  explicit KernelTimer(const Stream& stream);
  ~KernelTimer();
  KernelTimer(const KernelTimer&) = delete;
  KernelTimer& operator=(const KernelTimer&) = delete;

  /// Around what is given to the stream; `name` must stay. What begins within something else is part of that.
  void begin(const char* name);
  void end();
  /// Waits for the stream. The longest first.
  std::vector<KernelTime> times() const;

 private:
  struct Piece {
    explicit Piece(const char* its_name) : name(its_name) {}
    const char* name;
    Event start{Event::Timing::on};
    Event end{Event::Timing::on};
  };

  const Stream& stream_;
  std::deque<Piece> pieces_;
  int depth_ = 0;  ///< of pieces that have begun and not ended
};

/// Does `work`, which gives something to the stream, under the stream's timer if it has one.
template <class Work>
void timed(const Stream& stream, const char* name, const Work& work) {
  if (stream.timer() != nullptr) [[unlikely]]
    stream.timer()->begin(name);
  work();
  if (stream.timer() != nullptr) [[unlikely]]
    stream.timer()->end();
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
