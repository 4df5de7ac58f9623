#include "cuda/runtime/kernel_timer.h"

#include <chrono>
#include <thread>

#include "cuda/runtime/check.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// Several times what the host takes to give a training step of a ResNet with all its events.
constexpr std::chrono::milliseconds kHold{20};

void hold(void* /*nothing*/) { std::this_thread::sleep_for(kHold); }

}  // namespace

KernelTimer::KernelTimer(const Stream& stream) : stream_(stream) {
  check(stream.timer() == nullptr, "[time_kernels] kernels are being timed already");
  check_cuda(cudaLaunchHostFunc(stream.handle(), hold, nullptr), "cudaLaunchHostFunc");
  stream.set_timer(this);
}

KernelTimer::~KernelTimer() { stream_.set_timer(nullptr); }

void KernelTimer::begin(const char* name) {
  if (depth_++ == 0) pieces_.emplace_back(name).start.record(stream_);
}

void KernelTimer::end() {
  if (--depth_ == 0) pieces_.back().end.record(stream_);
}

std::vector<KernelTime> KernelTimer::times() const {
  stream_.synchronize();
  KernelTimes times;
  for (const Piece& piece : pieces_)
    times.add({.kernel = piece.name, .calls = 1, .milliseconds = double{piece.end.milliseconds_since(piece.start)}});
  return times.longest_first();
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
