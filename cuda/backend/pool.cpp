#include "cuda/backend/cuda_backend.h"
#include "cuda/kernels/adaptive_avg_pool.h"
#include "cuda/kernels/avg_pool.h"
#include "cuda/kernels/global_avg_pool.h"
#include "cuda/kernels/max_pool.h"
#include "engine/backend/contract.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// x or dx against y or dy.
PoolShape pool_shape(const Tensor& image, const Tensor& pooled, const Pool2dOptions& options) {
  const auto& [stride, dilation, padding] = options.window;
  const auto axis = [](std::int64_t extent, std::int64_t windows, std::int64_t kernel, std::int64_t step,
                       std::int64_t spread, std::int64_t before) {
    return PoolAxis{static_cast<int>(extent), static_cast<int>(windows), static_cast<int>(kernel),
                    static_cast<int>(step),   static_cast<int>(spread),  static_cast<int>(before)};
  };
  return {
      .images = image.dim(0),
      .rows = axis(image.dim(1), pooled.dim(1), options.kernel.height, stride.height, dilation.height, padding.top),
      .columns = axis(image.dim(2), pooled.dim(2), options.kernel.width, stride.width, dilation.width, padding.left),
      .channels = image.dim(3)};
}

GlobalPoolShape global_pool_shape(const Tensor& image) {
  return {image.dim(0), image.dim(1) * image.dim(2), image.dim(3)};
}

AdaptivePoolShape adaptive_pool_shape(const Tensor& image, const Tensor& pooled) {
  return {image.dim(0), {image.dim(1), pooled.dim(1)}, {image.dim(2), pooled.dim(2)}, image.dim(3)};
}

}  // namespace

void CudaBackend::max_pool2d_forward(const Tensor& x, const Pool2dOptions& options, const Tensor& y,
                                     const Tensor& indices) {
  check_max_pool2d_forward(*this, x, options, y, indices);
  max_pool_forward(stream_, x.dtype(), pool_shape(x, y, options), x.raw(), y.raw(), indices.data<std::int32_t>());
}

void CudaBackend::max_pool2d_backward(const Tensor& dy, const Tensor& indices, const Pool2dOptions& options,
                                      const Tensor& dx) {
  check_max_pool2d_backward(*this, dy, indices, options, dx);
  max_pool_backward(stream_, dx.dtype(), pool_shape(dx, dy, options), dy.raw(), indices.data<std::int32_t>(), dx.raw());
}

void CudaBackend::avg_pool2d_forward(const Tensor& x, const Pool2dOptions& options, const Tensor& y) {
  check_avg_pool2d_forward(*this, x, options, y);
  avg_pool_forward(stream_, x.dtype(), pool_shape(x, y, options), options.count_include_pad, x.raw(), y.raw());
}

void CudaBackend::avg_pool2d_backward(const Tensor& dy, const Pool2dOptions& options, const Tensor& dx) {
  check_avg_pool2d_backward(*this, dy, options, dx);
  avg_pool_backward(stream_, dx.dtype(), pool_shape(dx, dy, options), options.count_include_pad, dy.raw(), dx.raw());
}

void CudaBackend::global_avg_pool_forward(const Tensor& x, const Tensor& y) {
  check_global_avg_pool_forward(*this, x, y);
  cuda::global_avg_pool_forward(stream_, x.dtype(), global_pool_shape(x), x.raw(), y.raw());
}

void CudaBackend::global_avg_pool_backward(const Tensor& dy, const Tensor& dx) {
  check_global_avg_pool_backward(*this, dy, dx);
  cuda::global_avg_pool_backward(stream_, dx.dtype(), global_pool_shape(dx), dy.raw(), dx.raw());
}

void CudaBackend::adaptive_avg_pool2d_forward(const Tensor& x, const Tensor& y) {
  check_adaptive_avg_pool2d_forward(*this, x, y);
  adaptive_avg_pool_forward(stream_, x.dtype(), adaptive_pool_shape(x, y), x.raw(), y.raw());
}

void CudaBackend::adaptive_avg_pool2d_backward(const Tensor& dy, const Tensor& dx) {
  check_adaptive_avg_pool2d_backward(*this, dy, dx);
  adaptive_avg_pool_backward(stream_, dx.dtype(), adaptive_pool_shape(dx, dy), dy.raw(), dx.raw());
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
