#pragma once

// What kernels are written in: CUDA C++ by nvcc, or the emulator's words for the same.
#include "cuda/platform.h"
#ifdef GRAFT_CUDA_EMULATED
#include "cuda/emulator/language.h"
#else
#include <cuda_runtime.h>
#endif

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// The launch's dynamic shared memory, aligned to 16 bytes, as an array of T; its size stands in the LaunchConfig.
template <class T>
__device__ __forceinline__ T* dynamic_shared() {
#ifdef GRAFT_CUDA_EMULATED
  return static_cast<T*>(emulator::dynamic_shared_memory());
#else
  extern __shared__ __align__(16) unsigned char graft_dynamic_shared_memory[];
  return reinterpret_cast<T*>(graft_dynamic_shared_memory);
#endif
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
