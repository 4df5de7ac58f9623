#pragma once

#include "cuda/platform.h"
#include "cuda/runtime/device.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

class Event;
class KernelTimer;

/// A queue of work on a device. Kernels are given to it by launch() (cuda/runtime/launch.cuh).
class Stream {
 public:
  explicit Stream(const Device& device);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  const Device& device() const { return device_; }
  cudaStream_t handle() const { return handle_; }

  /// Waits for all work given so far; throws Error(device) if any of it failed.
  void synchronize() const;
  /// What is given from here on comes after the event's mark in its stream; the host goes on.
  void wait(const Event& event) const;
  /// Copies between host and device, or on the device, in the order of the stream.
  void copy(const void* from, void* to, std::size_t bytes) const;
  /// Every byte becomes `value`.
  void fill_bytes(void* to, int value, std::size_t bytes) const;

  /// Who times what is given to the stream; null but while a KernelTimer lives.
  KernelTimer* timer() const { return timer_; }
  void set_timer(KernelTimer* timer) const { timer_ = timer; }

 private:
  Device device_;
  cudaStream_t handle_ = nullptr;
  mutable KernelTimer* timer_ = nullptr;
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
