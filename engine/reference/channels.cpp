#include "engine/backend/channels.h"

#include <cstring>

#include "engine/reference/doubles.h"
#include "engine/reference/reference_backend.h"

namespace graft {

namespace {

/// Where the factor of element i of an image array [N, H, W, C] stands in an array [N, C].
std::size_t channel_index(const ImageLayout& image, std::int64_t i) {
  return static_cast<std::size_t>(i / (image.h * image.w * image.c) * image.c + i % image.c);
}

}  // namespace

void ReferenceBackend::copy_channels(const Tensor& x, std::int64_t x_first, std::int64_t count, const Tensor& y,
                                     std::int64_t y_first) {
  check_copy_channels(*this, x, x_first, count, y, y_first);
  if (count == 0) return;
  const auto size = static_cast<std::int64_t>(size_of(x.dtype()));
  const auto* source = static_cast<const std::byte*>(x.raw());
  auto* target = static_cast<std::byte*>(y.raw());
  const std::int64_t rows = x.numel() / channels_of(x);
  for (std::int64_t row = 0; row < rows; ++row) {
    std::memcpy(target + (row * channels_of(y) + y_first) * size, source + (row * channels_of(x) + x_first) * size,
                static_cast<std::size_t>(count * size));
  }
}

void ReferenceBackend::scale_channels(const Tensor& x, const Tensor& s, const Tensor& y) {
  check_scale_channels(*this, x, s, y);
  const ImageLayout image(x.shape());
  std::vector<double> values = load(x);
  const std::vector<double> factors = load(s);
  for (std::int64_t i = 0; i < x.numel(); ++i) values[i] *= factors[channel_index(image, i)];
  store(values, y);
}

void ReferenceBackend::scale_channels_backward(const Tensor& dy, const Tensor& x, const Tensor& s, const Tensor& dx,
                                               const Tensor& ds) {
  check_scale_channels_backward(*this, dy, x, s, dx, ds);
  const ImageLayout image(dy.shape());
  const std::vector<double> dy_values = load(dy);
  const std::vector<double> x_values = load(x);  // before dx, which may lie over it, is written
  if (dx.defined()) {
    const std::vector<double> factors = load(s);
    std::vector<double> dx_values = dy_values;
    for (std::int64_t i = 0; i < dy.numel(); ++i) dx_values[i] *= factors[channel_index(image, i)];
    store(dx_values, dx);
  }
  if (ds.defined()) {
    std::vector<double> sums(static_cast<std::size_t>(ds.numel()));
    for (std::int64_t i = 0; i < dy.numel(); ++i) sums[channel_index(image, i)] += dy_values[i] * x_values[i];
    store(sums, ds);
  }
}

}  // namespace graft
