#include "engine/backend/channels.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/base/parallel_for.h"
#include "engine/cpu/channel_panel.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/simd.h"

namespace graft {

namespace {

/// Rows or images of `size` elements that a thread takes at least.
std::int64_t grain_of(std::int64_t size) {
  return std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, size));
}

/// y = x s for images of `positions` rows of `channels`.
template <class T>
void scale_rows(const Tensor& x, const Tensor& s, const Tensor& y) {
  const std::int64_t positions = x.dim(1) * x.dim(2);
  const std::int64_t channels = x.dim(3);
  const T* from = x.data<T>();
  const T* factors = s.data<T>();
  T* to = y.data<T>();
  parallel_for(x.dim(0) * positions, grain_of(channels), [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const T* factor = factors + row / positions * channels;
      const std::int64_t first = row * channels;
      simd::for_vectors(0, channels, [=](std::int64_t c, auto lanes) {
        simd::store(to + first + c, simd::load(from + first + c, lanes) * simd::load(factor + c, lanes), lanes);
      });
    }
  });
}

/// One image: dy, x, dx [positions, channels], s, ds [channels]. dx may be null, or dy or x: each vector is read before
/// it is written.
template <class T>
void scale_gradients(const T* dy, const T* x, const T* s, std::int64_t positions, std::int64_t channels, T* dx, T* ds) {
  for_panels(channels, [&](const ChannelPanel& panel) {
    std::array<double, ChannelPanel::kMaxChannels> sums{};
    const auto add = [&](std::int64_t c, double sum) { sums[static_cast<std::size_t>(c - panel.first)] += sum; };
    if (dx == nullptr) {
      const auto term = [=](std::int64_t, std::int64_t offset, auto lanes) {
        return simd::load(dy + offset, lanes) * simd::load(x + offset, lanes);
      };
      sum_panel_rows(panel, channels, 0, positions, term, add);
    } else {
      TileValues factors;
      factors.spread(panel, [&](std::int64_t c) { return s[c]; });
      const auto term = [&](std::int64_t i, std::int64_t offset, auto lanes) {
        const simd::f32x8 gradient = simd::load(dy + offset, lanes);
        const simd::f32x8 product = gradient * simd::load(x + offset, lanes);
        simd::store(dx + offset, gradient * factors.at(i), lanes);
        return product;
      };
      sum_panel_rows(panel, channels, 0, positions, term, add);
    }
    for (std::int64_t c = 0; c < panel.channels; ++c) {
      ds[panel.first + c] = T(static_cast<float>(sums[static_cast<std::size_t>(c)]));
    }
  });
}

}  // namespace

void CpuBackend::copy_channels(const Tensor& x, std::int64_t x_first, std::int64_t count, const Tensor& y,
                               std::int64_t y_first) {
  check_copy_channels(*this, x, x_first, count, y, y_first);
  if (count == 0) return;
  enter();
  const std::size_t size = size_of(x.dtype());
  const std::size_t x_row = static_cast<std::size_t>(channels_of(x)) * size;
  const std::size_t y_row = static_cast<std::size_t>(channels_of(y)) * size;
  const std::size_t bytes = static_cast<std::size_t>(count) * size;
  const auto* from = static_cast<const std::byte*>(x.raw()) + static_cast<std::size_t>(x_first) * size;
  auto* to = static_cast<std::byte*>(y.raw()) + static_cast<std::size_t>(y_first) * size;
  parallel_for(x.numel() / channels_of(x), grain_of(count), [=](std::int64_t begin, std::int64_t end) {
    for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row) {
      std::memcpy(to + row * y_row, from + row * x_row, bytes);
    }
  });
}

void CpuBackend::scale_channels(const Tensor& x, const Tensor& s, const Tensor& y) {
  check_scale_channels(*this, x, s, y);
  enter();
  with_float_type(x.dtype(), [&](auto type) { scale_rows<decltype(type)>(x, s, y); });
}

void CpuBackend::scale_channels_backward(const Tensor& dy, const Tensor& x, const Tensor& s, const Tensor& dx,
                                         const Tensor& ds) {
  check_scale_channels_backward(*this, dy, x, s, dx, ds);
  enter();
  const std::int64_t positions = dy.dim(1) * dy.dim(2);
  const std::int64_t channels = dy.dim(3);
  with_float_type(dy.dtype(), [&](auto type) {
    using T = decltype(type);
    if (!ds.defined()) {
      if (dx.defined()) scale_rows<T>(dy, s, dx);
      return;
    }
    const T* gradients = dy.data<T>();
    const T* images = x.data<T>();
    const T* factors = s.data<T>();  // null without dx
    T* dx_data = dx.data<T>();
    T* ds_data = ds.data<T>();
    // Whole images a thread: what an image comes to depends neither on the batch nor on the number of threads.
    parallel_for(dy.dim(0), grain_of(positions * channels), [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        const std::int64_t first = n * positions * channels;
        scale_gradients(gradients + first, images + first, dx_data == nullptr ? nullptr : factors + n * channels,
                        positions, channels, dx_data == nullptr ? nullptr : dx_data + first, ds_data + n * channels);
      }
    });
  });
}

}  // namespace graft
