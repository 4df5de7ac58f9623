#pragma once

#include "cuda/platform.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Throws Error(device) with CUDA's name and words for the error unless it is cudaSuccess. `what` is the call or the
/// kernel that it came from.
void check_cuda(cudaError_t error, const char* what);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
