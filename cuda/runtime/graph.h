#pragma once

#include <functional>

#include "cuda/platform.h"
#include "cuda/runtime/stream.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// What was given to a stream, recorded once as a CUDA graph and launched as one piece of work. Kernel arguments are
/// recorded by value: the memory that they point to must stay where it is.
class Graph {
 public:
  /// Calls `work` and records what it gives to `stream`, none of which runs. Captured in thread-local mode: other
  /// threads go on with their own streams. Throws whatever `work` throws, and Error(device) if it did what cannot be
  /// recorded (waited, or copied from pageable memory).
  Graph(const Stream& stream, const std::function<void()>& work);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void launch(const Stream& stream) const;

 private:
  cudaGraphExec_t exec_ = nullptr;
};

/// While one lives, its thread may do what a capture in thread-local mode forbids: allocate and free device memory.
/// Of an error the next call tells: destructors use this.
class CaptureAllowance {
 public:
  CaptureAllowance();
  ~CaptureAllowance();
  CaptureAllowance(const CaptureAllowance&) = delete;
  CaptureAllowance& operator=(const CaptureAllowance&) = delete;

 private:
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
