#include "cuda/kernels/elementwise.h"

#include "cuda/backend/cuda_backend.h"
#include "cuda/kernels/cast.h"
#include "cuda/kernels/drop_path.h"
#include "cuda/kernels/dropout.h"
#include "cuda/kernels/fill.h"
#include "cuda/kernels/layout.h"
#include "cuda/kernels/normalize_images.h"
#include "cuda/kernels/subsample_pad.h"
#include "engine/backend/contract.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

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

void CudaBackend::fill(double value, const Tensor& y) {
  check_fill(*this, y);
  cuda::fill(stream_, y.dtype(), value, y.raw(), y.numel());
}

void CudaBackend::cast(const Tensor& x, const Tensor& y) {
  check_cast(*this, x, y);
  cuda::cast(stream_, x.dtype(), x.raw(), y.dtype(), y.raw(), y.numel());
}

void CudaBackend::accumulate(const Tensor& x, const Tensor& y) {
  check_accumulate(*this, x, y);
  cuda::add(stream_, y.dtype(), y.raw(), x.raw(), y.raw(), y.numel());
}

namespace {

DropoutMask dropout_mask(const DropoutOptions& options, const Tensor& step) {
  return {options.threshold(), options.keep_scale(), options.random.key(), step.data<std::int64_t>()};
}

}  // namespace

void CudaBackend::dropout(const Tensor& x, const DropoutOptions& options, const Tensor& step, const Tensor& y) {
  check_dropout(*this, x, options, step, y);
  cuda::dropout(stream_, x.dtype(), x.raw(), dropout_mask(options, step), y.raw(), y.numel());
}

void CudaBackend::drop_path(const Tensor& x, const DropoutOptions& options, const Tensor& step, const Tensor& y) {
  check_drop_path(*this, x, options, step, y);
  if (x.numel() == 0) return;
  cuda::drop_path(stream_, x.dtype(), x.raw(), dropout_mask(options, step), y.raw(), x.dim(0), x.numel() / x.dim(0));
}

void CudaBackend::nhwc_to_nchw(const Tensor& x, const Tensor& y) {
  check_nhwc_to_nchw(*this, x, y);
  transpose(stream_, {x.dim(0), x.dim(1) * x.dim(2), x.dim(3), size_of(x.dtype())}, x.raw(), y.raw());
}

void CudaBackend::nchw_to_nhwc(const Tensor& x, const Tensor& y) {
  check_nchw_to_nhwc(*this, x, y);
  transpose(stream_, {x.dim(0), x.dim(1), x.dim(2) * x.dim(3), size_of(x.dtype())}, x.raw(), y.raw());
}

namespace {

SubsamplePad subsample_pad_shape(const Tensor& full, const Tensor& sampled, std::int64_t stride) {
  return {full.dim(0), full.dim(1), full.dim(2), full.dim(3), sampled.dim(3), stride};
}

}  // namespace

void CudaBackend::subsample_pad_forward(const Tensor& x, std::int64_t stride, const Tensor& y) {
  check_subsample_pad("subsample_pad", *this, {"x", x}, {"y", y}, stride);
  cuda::subsample_pad_forward(stream_, x.dtype(), subsample_pad_shape(x, y, stride), x.raw(), y.raw());
}

void CudaBackend::subsample_pad_backward(const Tensor& dy, std::int64_t stride, const Tensor& dx) {
  check_subsample_pad("subsample_pad_backward", *this, {"dx", dx}, {"dy", dy}, stride);
  cuda::subsample_pad_backward(stream_, dy.dtype(), subsample_pad_shape(dx, dy, stride), dy.raw(), dx.raw());
}

void CudaBackend::normalize_images(const Tensor& x, const Tensor& mean, const Tensor& deviation, const Tensor& y) {
  check_normalize_images(*this, x, mean, deviation, y);
  cuda::normalize_images(stream_, x.data<std::uint8_t>(), mean.data<float>(), deviation.data<float>(), y.dtype(),
                         y.raw(), y.numel(), x.dim(3));
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
