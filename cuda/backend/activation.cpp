#include "cuda/kernels/activation.h"

#include "cuda/backend/cuda_backend.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

void CudaBackend::activation_forward(Activation activation, const Tensor& x, const Tensor& y) {
  check_activation_forward(*this, x, y);
  cuda::activation_forward(stream_, activation, x.dtype(), x.raw(), y.raw(), y.numel());
}

void CudaBackend::activation_backward(Activation activation, const Tensor& x, const Tensor& dy, const Tensor& dx) {
  check_activation_backward(*this, x, dy, dx);
  cuda::activation_backward(stream_, activation, x.dtype(), x.raw(), dy.raw(), dx.raw(), dx.numel());
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
