#include <algorithm>

#include "engine/backend/contract.h"
#include "engine/reference/doubles.h"
#include "engine/reference/reference_backend.h"

namespace graft {

namespace {

/// A convolution as the list of its taps: pairs of an output element and the run of input channels that one position
/// of the kernel sees there. Forward and both backward passes are the same list, read in three directions.
struct Taps {
  ImageLayout x;
  ImageLayout w;  ///< [O, KH, KW, C / groups]
  ImageLayout y;
  Conv2dOptions options;

  Taps(const Shape& x_shape, const Shape& w_shape, const Conv2dOptions& conv)
      : x(x_shape), w(w_shape), y(conv2d_output_shape(x_shape, w_shape, conv)), options(conv) {}

  /// body(y index, first x index, first w index) for every tap inside the image; each run has w.c channels.
  template <class Body>
  void for_each(const Body& body) const {
    for (std::int64_t n = 0; n < y.n; ++n) {
      for (std::int64_t oh = 0; oh < y.h; ++oh) {
        for (std::int64_t ow = 0; ow < y.w; ++ow) for_each_at(n, oh, ow, body);
      }
    }
  }

 private:
  template <class Body>
  void for_each_at(std::int64_t n, std::int64_t oh, std::int64_t ow, const Body& body) const {
    const auto& [stride, dilation, padding] = options.window;
    const std::int64_t outputs_per_group = y.c / options.groups;
    for (std::int64_t o = 0; o < y.c; ++o) {
      const std::int64_t first_channel = o / outputs_per_group * w.c;
      for (std::int64_t kh = 0; kh < w.h; ++kh) {
        const std::int64_t ih = oh * stride.height + kh * dilation.height - padding.top;
        if (ih < 0 || ih >= x.h) continue;
        for (std::int64_t kw = 0; kw < w.w; ++kw) {
          const std::int64_t iw = ow * stride.width + kw * dilation.width - padding.left;
          if (iw < 0 || iw >= x.w) continue;
          body(y.at(n, oh, ow) + o, x.at(n, ih, iw) + first_channel, w.at(o, kh, kw));
        }
      }
    }
  }
};

}  // namespace

void ReferenceBackend::conv2d_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const Tensor& residual,
                                      const Conv2dOptions& options, const Tensor& scratch, const Tensor& y) {
  check_conv2d_forward(*this, x, w, bias, residual, options, scratch, y);
  const Taps taps(x.shape(), w.shape(), options);
  const std::vector<double> x_values = load(x);
  const std::vector<double> w_values = load(w);
  const std::vector<double> bias_values = load(bias);
  std::vector<double> sums = residual.defined() ? load(residual) : std::vector<double>(y.numel());
  if (bias.defined()) {
    for (std::int64_t i = 0; i < y.numel(); ++i) sums[i] += bias_values[i % taps.y.c];
  }
  taps.for_each([&](std::int64_t yi, std::int64_t xi, std::int64_t wi) {
    for (std::int64_t c = 0; c < taps.w.c; ++c) sums[yi] += x_values[xi + c] * w_values[wi + c];
  });
  if (options.relu)
    std::replace_if(
        sums.begin(), sums.end(), [](double sum) { return sum < 0.0; }, 0.0);
  store(sums, y);
}

void ReferenceBackend::conv2d_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                                            const Tensor& scratch, const Tensor& dx) {
  check_conv2d_backward_data(*this, dy, w, options, scratch, dx);
  const Taps taps(dx.shape(), w.shape(), options);
  const std::vector<double> dy_values = load(dy);
  const std::vector<double> w_values = load(w);
  std::vector<double> sums(static_cast<std::size_t>(dx.numel()));
  taps.for_each([&](std::int64_t yi, std::int64_t xi, std::int64_t wi) {
    for (std::int64_t c = 0; c < taps.w.c; ++c) sums[xi + c] += dy_values[yi] * w_values[wi + c];
  });
  store(sums, dx);
}

void ReferenceBackend::conv2d_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options,
                                               const Tensor& scratch, const Tensor& dw, const Tensor& dbias) {
  check_conv2d_backward_weights(*this, x, dy, options, scratch, dw, dbias);
  const Taps taps(x.shape(), dw.shape(), options);
  const std::vector<double> x_values = load(x);
  const std::vector<double> dy_values = load(dy);
  std::vector<double> sums(static_cast<std::size_t>(dw.numel()));
  taps.for_each([&](std::int64_t yi, std::int64_t xi, std::int64_t wi) {
    for (std::int64_t c = 0; c < taps.w.c; ++c) sums[wi + c] += dy_values[yi] * x_values[xi + c];
  });
  store(sums, dw);
  if (!dbias.defined()) return;
  std::vector<double> bias_sums(static_cast<std::size_t>(taps.y.c));
  for (std::int64_t i = 0; i < dy.numel(); ++i) bias_sums[i % taps.y.c] += dy_values[i];
  store(bias_sums, dbias);
}

std::size_t ReferenceBackend::conv2d_forward_scratch_bytes(const Shape&, const Shape&, DType, const Conv2dOptions&) {
  return 0;
}

std::size_t ReferenceBackend::conv2d_backward_data_scratch_bytes(const Shape&, const Shape&, DType,
                                                                 const Conv2dOptions&) {
  return 0;
}

std::size_t ReferenceBackend::conv2d_backward_weights_scratch_bytes(const Shape&, const Shape&, DType,
                                                                    const Conv2dOptions&) {
  return 0;
}

}  // namespace graft
