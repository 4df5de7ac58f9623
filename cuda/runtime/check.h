#pragma once

#include "cuda/platform.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Throws Error(device) with CUDA's name and words for the error and the place of the call unless it is cudaSuccess.
/// `what` is the call or the kernel that it came from. After some errors (a kernel's bad address, a failed launch) the
/// process can no longer use the device: the message says so.
void check_cuda(cudaError_t error, const char* what, const char* file = __builtin_FILE(), int line = __builtin_LINE());

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
