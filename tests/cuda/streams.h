#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "cuda/backends.h"
#include "cuda/runtime/stream.h"
#ifdef GRAFT_CUDA_EMULATED
#include "tests/cuda/emulator/thread_orders.h"
#endif

namespace graft::cuda::testing {

/// Calls `body` with a stream of the emulated device for each thread order, or with one of the GPU; skips the test
/// where that is not there.
inline void for_each_stream(const std::function<void(const Stream&)>& body) {
#ifdef GRAFT_CUDA_EMULATED
  for (const emulator::ThreadOrder& order : thread_orders()) body(open_stream(order));
#else
  if (!cuda_device_present()) GTEST_SKIP() << "no GPU is here";
  body(Stream(open_device(0)));
#endif
}

}  // namespace graft::cuda::testing
