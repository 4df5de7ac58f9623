#include "engine/backend/channels.h"

#include "cuda/backend/cuda_backend.h"
#include "cuda/kernels/copy_channels.h"
#include "cuda/kernels/scale_channels.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

ScaleChannels scale_channels_shape(const Tensor& x) { return {x.dim(0), x.dim(1) * x.dim(2), x.dim(3)}; }

}  // namespace

void CudaBackend::copy_channels(const Tensor& x, std::int64_t x_first, std::int64_t count, const Tensor& y,
                                std::int64_t y_first) {
  check_copy_channels(*this, x, x_first, count, y, y_first);
  if (count == 0) return;
  const auto size = static_cast<std::int64_t>(size_of(x.dtype()));
  const RowPieces pieces{.rows = x.numel() / channels_of(x),
                         .piece = count * size,
                         .x_row = channels_of(x) * size,
                         .y_row = channels_of(y) * size};
  copy_row_pieces(stream_, pieces, static_cast<const std::byte*>(x.raw()) + x_first * size,
                  static_cast<std::byte*>(y.raw()) + y_first * size);
}

void CudaBackend::scale_channels(const Tensor& x, const Tensor& s, const Tensor& y) {
  check_scale_channels(*this, x, s, y);
  cuda::scale_channels(stream_, x.dtype(), scale_channels_shape(x), x.raw(), s.raw(), y.raw());
}

void CudaBackend::scale_channels_backward(const Tensor& dy, const Tensor& x, const Tensor& s, const Tensor& dx,
                                          const Tensor& ds) {
  check_scale_channels_backward(*this, dy, x, s, dx, ds);
  const ScaleChannels shape = scale_channels_shape(dy);
  if (ds.defined()) {
    cuda::scale_channels_backward(stream_, dy.dtype(), shape, dy.raw(), x.raw(), s.raw(), dx.raw(), ds.raw());
  } else if (dx.defined()) {
    cuda::scale_channels(stream_, dy.dtype(), shape, dy.raw(), s.raw(), dx.raw());
  }
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
