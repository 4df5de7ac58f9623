#include <cmath>
#include <limits>

#include "engine/backend/contract.h"
#include "engine/reference/doubles.h"
#include "engine/reference/reference_backend.h"

namespace graft {

namespace {

/// Index of a window that sees nothing but padding (possible with dilation, and on images without extent).
constexpr double kNoPosition = -1.0;

/// body(h, w) for each position inside the image that window (oh, ow) sees, in row-major order.
template <class Body>
void for_each_position(const Pool2dOptions& options, const ImageLayout& x, std::int64_t oh, std::int64_t ow,
                       const Body& body) {
  const auto& [stride, dilation, padding] = options.window;
  for (std::int64_t kh = 0; kh < options.kernel.height; ++kh) {
    const std::int64_t h = oh * stride.height + kh * dilation.height - padding.top;
    if (h < 0 || h >= x.h) continue;
    for (std::int64_t kw = 0; kw < options.kernel.width; ++kw) {
      const std::int64_t w = ow * stride.width + kw * dilation.width - padding.left;
      if (w >= 0 && w < x.w) body(h, w);
    }
  }
}

/// body(n, oh, ow) for each window.
template <class Body>
void for_each_window(const ImageLayout& y, const Body& body) {
  for (std::int64_t n = 0; n < y.n; ++n) {
    for (std::int64_t oh = 0; oh < y.h; ++oh) {
      for (std::int64_t ow = 0; ow < y.w; ++ow) body(n, oh, ow);
    }
  }
}

/// What an average over window (oh, ow) divides by.
double divisor(const Pool2dOptions& options, const ImageLayout& x, std::int64_t oh, std::int64_t ow) {
  if (options.count_include_pad) return static_cast<double>(options.kernel.height * options.kernel.width);
  double count = 0.0;
  for_each_position(options, x, oh, ow, [&](std::int64_t, std::int64_t) { count += 1.0; });
  return count;
}

/// body(window, position, positions of the window) for each pair of rows, or of columns, of adaptive pooling.
template <class Body>
void for_each_adaptive(std::int64_t extent, std::int64_t windows, const Body& body) {
  for (std::int64_t i = 0; i < windows; ++i) {
    const std::int64_t first = i * extent / windows;
    const std::int64_t end = ((i + 1) * extent + windows - 1) / windows;
    for (std::int64_t at = first; at < end; ++at) body(i, at, end - first);
  }
}

/// body(index in the image, index in the result, size of the window) for each position of each window.
template <class Body>
void for_each_adaptive_element(const ImageLayout& image, const ImageLayout& pooled, const Body& body) {
  for (std::int64_t n = 0; n < image.n; ++n) {
    for_each_adaptive(image.h, pooled.h, [&](std::int64_t oh, std::int64_t h, std::int64_t height) {
      for_each_adaptive(image.w, pooled.w, [&](std::int64_t ow, std::int64_t w, std::int64_t width) {
        for (std::int64_t c = 0; c < image.c; ++c) {
          body(image.at(n, h, w) + c, pooled.at(n, oh, ow) + c, static_cast<double>(height * width));
        }
      });
    });
  }
}

}  // namespace

void ReferenceBackend::adaptive_avg_pool2d_forward(const Tensor& x, const Tensor& y) {
  check_adaptive_avg_pool2d_forward(*this, x, y);
  const std::vector<double> x_values = load(x);
  std::vector<double> means(static_cast<std::size_t>(y.numel()));
  for_each_adaptive_element(
      ImageLayout(x.shape()), ImageLayout(y.shape()),
      [&](std::int64_t from, std::int64_t to, double size) { means[to] += x_values[from] / size; });
  store(means, y);
}

void ReferenceBackend::adaptive_avg_pool2d_backward(const Tensor& dy, const Tensor& dx) {
  check_adaptive_avg_pool2d_backward(*this, dy, dx);
  const std::vector<double> dy_values = load(dy);
  std::vector<double> sums(static_cast<std::size_t>(dx.numel()));
  for_each_adaptive_element(
      ImageLayout(dx.shape()), ImageLayout(dy.shape()),
      [&](std::int64_t to, std::int64_t from, double size) { sums[to] += dy_values[from] / size; });
  store(sums, dx);
}

void ReferenceBackend::max_pool2d_forward(const Tensor& x, const Pool2dOptions& options, const Tensor& y,
                                          const Tensor& indices) {
  check_max_pool2d_forward(*this, x, options, y, indices);
  const ImageLayout in(x.shape());
  const ImageLayout out(y.shape());
  const std::vector<double> x_values = load(x);
  std::vector<double> maxima(static_cast<std::size_t>(y.numel()), -std::numeric_limits<double>::infinity());
  std::vector<double> chosen(maxima.size(), kNoPosition);
  for_each_window(out, [&](std::int64_t n, std::int64_t oh, std::int64_t ow) {
    for_each_position(options, in, oh, ow, [&](std::int64_t h, std::int64_t w) {
      for (std::int64_t c = 0; c < in.c; ++c) {
        const std::int64_t yi = out.at(n, oh, ow) + c;
        const double value = x_values[in.at(n, h, w) + c];
        const bool first = chosen[yi] == kNoPosition;
        const bool wins = value > maxima[yi] || (std::isnan(value) && !std::isnan(maxima[yi]));
        if (!first && !wins) continue;
        maxima[yi] = value;
        chosen[yi] = static_cast<double>(h * in.w + w);
      }
    });
  });
  store(maxima, y);
  store(chosen, indices);
}

void ReferenceBackend::max_pool2d_backward(const Tensor& dy, const Tensor& indices, const Pool2dOptions& options,
                                           const Tensor& dx) {
  check_max_pool2d_backward(*this, dy, indices, options, dx);
  const ImageLayout in(dx.shape());
  const ImageLayout out(dy.shape());
  const std::vector<double> dy_values = load(dy);
  const std::vector<double> chosen = load(indices);
  std::vector<double> sums(static_cast<std::size_t>(dx.numel()));
  for_each_window(out, [&](std::int64_t n, std::int64_t oh, std::int64_t ow) {
    for (std::int64_t c = 0; c < in.c; ++c) {
      const std::int64_t yi = out.at(n, oh, ow) + c;
      if (chosen[yi] == kNoPosition) continue;
      sums[in.at(n, 0, 0) + static_cast<std::int64_t>(chosen[yi]) * in.c + c] += dy_values[yi];
    }
  });
  store(sums, dx);
}

void ReferenceBackend::avg_pool2d_forward(const Tensor& x, const Pool2dOptions& options, const Tensor& y) {
  check_avg_pool2d_forward(*this, x, options, y);
  const ImageLayout in(x.shape());
  const ImageLayout out(y.shape());
  const std::vector<double> x_values = load(x);
  std::vector<double> means(static_cast<std::size_t>(y.numel()));
  for_each_window(out, [&](std::int64_t n, std::int64_t oh, std::int64_t ow) {
    const double count = divisor(options, in, oh, ow);
    for_each_position(options, in, oh, ow, [&](std::int64_t h, std::int64_t w) {
      for (std::int64_t c = 0; c < in.c; ++c) means[out.at(n, oh, ow) + c] += x_values[in.at(n, h, w) + c] / count;
    });
  });
  store(means, y);
}

void ReferenceBackend::avg_pool2d_backward(const Tensor& dy, const Pool2dOptions& options, const Tensor& dx) {
  check_avg_pool2d_backward(*this, dy, options, dx);
  const ImageLayout in(dx.shape());
  const ImageLayout out(dy.shape());
  const std::vector<double> dy_values = load(dy);
  std::vector<double> sums(static_cast<std::size_t>(dx.numel()));
  for_each_window(out, [&](std::int64_t n, std::int64_t oh, std::int64_t ow) {
    const double count = divisor(options, in, oh, ow);
    for_each_position(options, in, oh, ow, [&](std::int64_t h, std::int64_t w) {
      for (std::int64_t c = 0; c < in.c; ++c) sums[in.at(n, h, w) + c] += dy_values[out.at(n, oh, ow) + c] / count;
    });
  });
  store(sums, dx);
}

void ReferenceBackend::global_avg_pool_forward(const Tensor& x, const Tensor& y) {
  check_global_avg_pool_forward(*this, x, y);
  const ImageLayout in(x.shape());
  const std::vector<double> x_values = load(x);
  std::vector<double> means(static_cast<std::size_t>(y.numel()));
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const std::int64_t image = i / (in.h * in.w * in.c);
    means[image * in.c + i % in.c] += x_values[i] / static_cast<double>(in.h * in.w);
  }
  store(means, y);
}

void ReferenceBackend::global_avg_pool_backward(const Tensor& dy, const Tensor& dx) {
  check_global_avg_pool_backward(*this, dy, dx);
  const ImageLayout in(dx.shape());
  const std::vector<double> dy_values = load(dy);
  std::vector<double> dx_values(static_cast<std::size_t>(dx.numel()));
  for (std::int64_t i = 0; i < dx.numel(); ++i) {
    const std::int64_t image = i / (in.h * in.w * in.c);
    dx_values[i] = dy_values[image * in.c + i % in.c] / static_cast<double>(in.h * in.w);
  }
  store(dx_values, dx);
}

}  // namespace graft
