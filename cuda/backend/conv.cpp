#include "cuda/backend/cuda_backend.h"
#include "engine/backend/contract.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

// Kernels that are still to come.
[[noreturn]] void pending(const char* kernel) { fail(ErrorKind::failure, "[cuda] {} has no kernel yet", kernel); }

}  // namespace

void CudaBackend::conv2d_forward(const Tensor& /*x*/, const Tensor& /*w*/, const Tensor& /*bias*/,
                                 const Conv2dOptions& /*options*/, const Tensor& /*scratch*/, const Tensor& /*y*/) {
  pending("conv2d_forward");
}
std::size_t CudaBackend::conv2d_forward_scratch_bytes(const Shape& /*x*/, const Shape& /*w*/, DType /*dtype*/,
                                                      const Conv2dOptions& /*options*/) {
  pending("conv2d_forward_scratch_bytes");
}
void CudaBackend::conv2d_backward_data(const Tensor& /*dy*/, const Tensor& /*w*/, const Conv2dOptions& /*options*/,
                                       const Tensor& /*scratch*/, const Tensor& /*dx*/) {
  pending("conv2d_backward_data");
}
std::size_t CudaBackend::conv2d_backward_data_scratch_bytes(const Shape& /*x*/, const Shape& /*w*/, DType /*dtype*/,
                                                            const Conv2dOptions& /*options*/) {
  pending("conv2d_backward_data_scratch_bytes");
}
void CudaBackend::conv2d_backward_weights(const Tensor& /*x*/, const Tensor& /*dy*/, const Conv2dOptions& /*options*/,
                                          const Tensor& /*scratch*/, const Tensor& /*dw*/, const Tensor& /*dbias*/) {
  pending("conv2d_backward_weights");
}
std::size_t CudaBackend::conv2d_backward_weights_scratch_bytes(const Shape& /*x*/, const Shape& /*w*/, DType /*dtype*/,
                                                               const Conv2dOptions& /*options*/) {
  pending("conv2d_backward_weights_scratch_bytes");
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
