#pragma once

#include <cstddef>
#include <string>

#include "cuda/platform.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// A GPU and what kernels' launches depend on.
struct Device {
  int index = 0;
  std::string name;
  int architecture = 0;  ///< 90 for compute capability 9.0
  int multiprocessors = 0;
  std::size_t memory = 0;                ///< bytes
  std::size_t shared_bytes_a_block = 0;  ///< the most that a block can ask for
  std::size_t l2_bytes = 0;
};

/// The device number `index`, made current for this host thread. Throws Error(device) where there is no driver, no
/// device, a driver older than this program's CUDA, or an architecture below 8.0.
Device open_device(int index);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
