#include "cuda/runtime/check.h"

#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

void check_cuda(cudaError_t error, const char* what) {
  if (error == cudaSuccess) [[likely]]
    return;
  fail(ErrorKind::device, "[cuda] {}: {} ({})", what, cudaGetErrorString(error), cudaGetErrorName(error));
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
