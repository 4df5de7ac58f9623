#include "cuda/backend/cuda_backend.h"
#include "engine/backend/contract.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

// Kernels that are still to come.
[[noreturn]] void pending(const char* kernel) { fail(ErrorKind::failure, "[cuda] {} has no kernel yet", kernel); }

}  // namespace

void CudaBackend::max_pool2d_forward(const Tensor& /*x*/, const Pool2dOptions& /*options*/, const Tensor& /*y*/,
                                     const Tensor& /*indices*/) {
  pending("max_pool2d_forward");
}
void CudaBackend::max_pool2d_backward(const Tensor& /*dy*/, const Tensor& /*indices*/, const Pool2dOptions& /*options*/,
                                      const Tensor& /*dx*/) {
  pending("max_pool2d_backward");
}
void CudaBackend::avg_pool2d_forward(const Tensor& /*x*/, const Pool2dOptions& /*options*/, const Tensor& /*y*/) {
  pending("avg_pool2d_forward");
}
void CudaBackend::avg_pool2d_backward(const Tensor& /*dy*/, const Pool2dOptions& /*options*/, const Tensor& /*dx*/) {
  pending("avg_pool2d_backward");
}
void CudaBackend::global_avg_pool_forward(const Tensor& /*x*/, const Tensor& /*y*/) {
  pending("global_avg_pool_forward");
}
void CudaBackend::global_avg_pool_backward(const Tensor& /*dy*/, const Tensor& /*dx*/) {
  pending("global_avg_pool_backward");
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
