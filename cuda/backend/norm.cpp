#include "cuda/backend/cuda_backend.h"
#include "engine/backend/contract.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

// Kernels that are still to come.
[[noreturn]] void pending(const char* kernel) { fail(ErrorKind::failure, "[cuda] {} has no kernel yet", kernel); }

}  // namespace

void CudaBackend::batch_norm_train(const Tensor& /*x*/, const Tensor& /*residual*/, const Tensor& /*scale*/,
                                   const Tensor& /*shift*/, const BatchNormOptions& /*options*/,
                                   const Tensor& /*running_mean*/, const Tensor& /*running_var*/,
                                   const Tensor& /*scratch*/, const Tensor& /*y*/, const Tensor& /*mean*/,
                                   const Tensor& /*inverse_deviation*/) {
  pending("batch_norm_train");
}
std::size_t CudaBackend::batch_norm_scratch_bytes(const Shape& /*x*/, DType /*dtype*/) {
  pending("batch_norm_scratch_bytes");
}
void CudaBackend::batch_norm_eval(const Tensor& /*x*/, const Tensor& /*residual*/, const Tensor& /*scale*/,
                                  const Tensor& /*shift*/, const Tensor& /*mean*/, const Tensor& /*var*/,
                                  const BatchNormOptions& /*options*/, const Tensor& /*y*/) {
  pending("batch_norm_eval");
}
void CudaBackend::batch_norm_train_backward(const Tensor& /*dy*/, const Tensor& /*x*/, const Tensor& /*y*/,
                                            const Tensor& /*scale*/, const Tensor& /*mean*/,
                                            const Tensor& /*inverse_deviation*/, const BatchNormOptions& /*options*/,
                                            const Tensor& /*scratch*/, const Tensor& /*dx*/,
                                            const Tensor& /*dresidual*/, const Tensor& /*dscale*/,
                                            const Tensor& /*dshift*/) {
  pending("batch_norm_train_backward");
}
void CudaBackend::batch_norm_eval_backward(const Tensor& /*dy*/, const Tensor& /*x*/, const Tensor& /*y*/,
                                           const Tensor& /*scale*/, const Tensor& /*mean*/, const Tensor& /*var*/,
                                           const BatchNormOptions& /*options*/, const Tensor& /*scratch*/,
                                           const Tensor& /*dx*/, const Tensor& /*dresidual*/, const Tensor& /*dscale*/,
                                           const Tensor& /*dshift*/) {
  pending("batch_norm_eval_backward");
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
