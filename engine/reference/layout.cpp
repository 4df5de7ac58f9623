#include <cstring>

#include "engine/backend/contract.h"
#include "engine/reference/doubles.h"
#include "engine/reference/reference_backend.h"

namespace graft {

namespace {

/// y [N, columns, rows] = x [N, rows, columns], byte for byte.
void transpose_images(const Tensor& x, std::int64_t rows, std::int64_t columns, const Tensor& y) {
  const auto size = static_cast<std::int64_t>(size_of(x.dtype()));
  const auto* source = static_cast<const std::byte*>(x.raw());
  auto* target = static_cast<std::byte*>(y.raw());
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const std::int64_t image = i / (rows * columns);
    const std::int64_t row = i / columns % rows;
    const std::int64_t column = i % columns;
    std::memcpy(target + ((image * columns + column) * rows + row) * size, source + i * size,
                static_cast<std::size_t>(size));
  }
}

/// body(index in the full image, index in the subsampled one) for each element that the shortcut keeps.
template <class Body>
void for_each_kept(const Shape& full_shape, const Shape& sampled_shape, std::int64_t stride, const Body& body) {
  const ImageLayout full(full_shape);
  const ImageLayout sampled(sampled_shape);
  const std::int64_t first_channel = (sampled.c - full.c) / 2;
  for (std::int64_t n = 0; n < sampled.n; ++n) {
    for (std::int64_t h = 0; h < sampled.h; ++h) {
      for (std::int64_t w = 0; w < sampled.w; ++w) {
        for (std::int64_t c = 0; c < full.c; ++c) {
          body(full.at(n, h * stride, w * stride) + c, sampled.at(n, h, w) + first_channel + c);
        }
      }
    }
  }
}

}  // namespace

void ReferenceBackend::nhwc_to_nchw(const Tensor& x, const Tensor& y) {
  check_nhwc_to_nchw(*this, x, y);
  transpose_images(x, x.dim(1) * x.dim(2), x.dim(3), y);
}

void ReferenceBackend::nchw_to_nhwc(const Tensor& x, const Tensor& y) {
  check_nchw_to_nhwc(*this, x, y);
  transpose_images(x, x.dim(1), x.dim(2) * x.dim(3), y);
}

void ReferenceBackend::subsample_pad_forward(const Tensor& x, std::int64_t stride, const Tensor& y) {
  check_subsample_pad("subsample_pad", *this, {"x", x}, {"y", y}, stride);
  const std::vector<double> x_values = load(x);
  std::vector<double> y_values(static_cast<std::size_t>(y.numel()));
  for_each_kept(x.shape(), y.shape(), stride,
                [&](std::int64_t full, std::int64_t sampled) { y_values[sampled] = x_values[full]; });
  store(y_values, y);
}

void ReferenceBackend::subsample_pad_backward(const Tensor& dy, std::int64_t stride, const Tensor& dx) {
  check_subsample_pad("subsample_pad_backward", *this, {"dx", dx}, {"dy", dy}, stride);
  const std::vector<double> dy_values = load(dy);
  std::vector<double> dx_values(static_cast<std::size_t>(dx.numel()));
  for_each_kept(dx.shape(), dy.shape(), stride,
                [&](std::int64_t full, std::int64_t sampled) { dx_values[full] = dy_values[sampled]; });
  store(dx_values, dx);
}

}  // namespace graft
