#include "cuda/backend/cuda_backend.h"
#include "cuda/kernels/batch_norm.h"
#include "engine/backend/contract.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

BatchNormShape norm_shape(const Tensor& x) {
  const std::int64_t channels = x.dim(-1);
  return {channels == 0 ? 0 : x.numel() / channels, channels, x.dtype()};
}

/// As batch_norm_train saves them.
ChannelStatistics saved_statistics(const Tensor& mean, const Tensor& inverse_deviation) {
  return {.mean = mean.data<float>(), .second = inverse_deviation.data<float>()};
}

ChannelStatistics running_statistics(const Tensor& mean, const Tensor& var, const BatchNormOptions& options) {
  return {.mean = mean.data<float>(),
          .second = var.data<float>(),
          .is_variance = true,
          .eps = static_cast<float>(options.eps)};
}

BatchNormAffine affine(const Tensor& scale, const Tensor& shift, const BatchNormOptions& options) {
  return {scale.data<float>(), shift.data<float>(), options.rectifies(), static_cast<float>(options.ceiling())};
}

BatchNormGradientInputs gradient_inputs(const Tensor& dy, const Tensor& x, const Tensor& y, const Tensor& scale,
                                        const BatchNormOptions& options) {
  return {dy.raw(), x.raw(), y.raw(), scale.data<float>(), static_cast<float>(options.ceiling())};
}

}  // namespace

std::size_t CudaBackend::batch_norm_scratch_bytes(const Shape& x, DType dtype) {
  const std::int64_t channels = x.dim(-1);
  if (channels == 0) return 0;
  return cuda::batch_norm_scratch_bytes(stream_.device(), {x.numel() / channels, channels, dtype});
}

void CudaBackend::batch_norm_train(const Tensor& x, const Tensor& residual, const Tensor& scale, const Tensor& shift,
                                   const BatchNormOptions& options, const Tensor& running_mean,
                                   const Tensor& running_var, const Tensor& scratch, const Tensor& y,
                                   const Tensor& mean, const Tensor& inverse_deviation) {
  check_batch_norm_train(*this, x, residual, scale, shift, options, running_mean, running_var, scratch, y, mean,
                         inverse_deviation);
  check_scratch("batch_norm_train", *this, scratch, batch_norm_scratch_bytes(x.shape(), x.dtype()));
  const BatchNormShape shape = norm_shape(x);
  if (shape.channels == 0) return;
  batch_norm_statistics(stream_, shape, x.raw(),
                        {options.eps, options.momentum, running_mean.data<float>(), running_var.data<float>()},
                        scratch.raw(), mean.data<float>(), inverse_deviation.data<float>());
  batch_norm_apply(stream_, shape, x.raw(), residual.raw(), saved_statistics(mean, inverse_deviation),
                   affine(scale, shift, options), y.raw());
}

void CudaBackend::batch_norm_eval(const Tensor& x, const Tensor& residual, const Tensor& scale, const Tensor& shift,
                                  const Tensor& mean, const Tensor& var, const BatchNormOptions& options,
                                  const Tensor& y) {
  check_batch_norm_eval(*this, x, residual, scale, shift, mean, var, options, y);
  const BatchNormShape shape = norm_shape(x);
  if (shape.channels == 0) return;
  batch_norm_apply(stream_, shape, x.raw(), residual.raw(), running_statistics(mean, var, options),
                   affine(scale, shift, options), y.raw());
}

void CudaBackend::batch_norm_train_backward(const Tensor& dy, const Tensor& x, const Tensor& y, const Tensor& scale,
                                            const Tensor& mean, const Tensor& inverse_deviation,
                                            const BatchNormOptions& options, const Tensor& scratch, const Tensor& dx,
                                            const Tensor& dresidual, const Tensor& dscale, const Tensor& dshift) {
  check_batch_norm_train_backward(*this, dy, x, y, scale, mean, inverse_deviation, options, scratch, dx, dresidual,
                                  dscale, dshift);
  check_scratch("batch_norm_train_backward", *this, scratch, batch_norm_scratch_bytes(x.shape(), x.dtype()));
  const BatchNormShape shape = norm_shape(x);
  if (shape.channels == 0) return;
  cuda::batch_norm_train_backward(stream_, shape, gradient_inputs(dy, x, y, scale, options),
                                  saved_statistics(mean, inverse_deviation), scratch.raw(),
                                  {dx.raw(), dresidual.raw(), dscale.data<float>(), dshift.data<float>()});
}

void CudaBackend::batch_norm_eval_backward(const Tensor& dy, const Tensor& x, const Tensor& y, const Tensor& scale,
                                           const Tensor& mean, const Tensor& var, const BatchNormOptions& options,
                                           const Tensor& scratch, const Tensor& dx, const Tensor& dresidual,
                                           const Tensor& dscale, const Tensor& dshift) {
  check_batch_norm_eval_backward(*this, dy, x, y, scale, mean, var, options, scratch, dx, dresidual, dscale, dshift);
  check_scratch("batch_norm_eval_backward", *this, scratch, batch_norm_scratch_bytes(x.shape(), x.dtype()));
  const BatchNormShape shape = norm_shape(x);
  if (shape.channels == 0) return;
  cuda::batch_norm_eval_backward(stream_, shape, gradient_inputs(dy, x, y, scale, options),
                                 running_statistics(mean, var, options), scratch.raw(),
                                 {dx.raw(), dresidual.raw(), dscale.data<float>(), dshift.data<float>()});
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
