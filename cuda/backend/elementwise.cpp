#include "cuda/kernels/elementwise.h"

#include "cuda/backend/cuda_backend.h"
#include "engine/backend/contract.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

// Kernels that are still to come.
[[noreturn]] void pending(const char* kernel) { fail(ErrorKind::failure, "[cuda] {} has no kernel yet", kernel); }

}  // namespace

void CudaBackend::copy(const Tensor& x, const Tensor& y) {
  check_copy(*this, x, y);
  stream_.copy(x.raw(), y.raw(), x.nbytes());
}

void CudaBackend::add(const Tensor& a, const Tensor& b, const Tensor& y) {
  check_add(*this, a, b, y);
  cuda::add(stream_, y.dtype(), a.raw(), b.raw(), y.raw(), y.numel());
}

void CudaBackend::scale(const Tensor& x, const Tensor& factor, const Tensor& y) {
  check_scale(*this, x, factor, y);
  cuda::scale(stream_, x.dtype(), x.raw(), factor.data<float>(), y.raw(), y.numel());
}

void CudaBackend::relu_forward(const Tensor& x, const Tensor& y) {
  check_relu_forward(*this, x, y);
  cuda::relu_forward(stream_, x.dtype(), x.raw(), y.raw(), y.numel());
}

void CudaBackend::relu_backward(const Tensor& dy, const Tensor& y, const Tensor& dx) {
  check_relu_backward(*this, dy, y, dx);
  cuda::relu_backward(stream_, dy.dtype(), dy.raw(), y.raw(), dx.raw(), dx.numel());
}

void CudaBackend::fill(double /*value*/, const Tensor& /*y*/) { pending("fill"); }
void CudaBackend::cast(const Tensor& /*x*/, const Tensor& /*y*/) { pending("cast"); }
void CudaBackend::accumulate(const Tensor& /*x*/, const Tensor& /*y*/) { pending("accumulate"); }
void CudaBackend::dropout(const Tensor& /*x*/, const DropoutOptions& /*options*/, const Tensor& /*step*/,
                          const Tensor& /*y*/) {
  pending("dropout");
}
void CudaBackend::nhwc_to_nchw(const Tensor& /*x*/, const Tensor& /*y*/) { pending("nhwc_to_nchw"); }
void CudaBackend::nchw_to_nhwc(const Tensor& /*x*/, const Tensor& /*y*/) { pending("nchw_to_nhwc"); }
void CudaBackend::subsample_pad_forward(const Tensor& /*x*/, std::int64_t /*stride*/, const Tensor& /*y*/) {
  pending("subsample_pad_forward");
}
void CudaBackend::subsample_pad_backward(const Tensor& /*dy*/, std::int64_t /*stride*/, const Tensor& /*dx*/) {
  pending("subsample_pad_backward");
}
void CudaBackend::normalize_images(const Tensor& /*x*/, const Tensor& /*mean*/, const Tensor& /*deviation*/,
                                   const Tensor& /*y*/) {
  pending("normalize_images");
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
