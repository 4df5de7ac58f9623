#include <algorithm>
#include <cstdint>

#include "engine/backend/contract.h"
#include "engine/base/parallel_for.h"
#include "engine/cpu/channel_panel.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/pool_window.h"
#include "engine/cpu/simd.h"

namespace graft {

namespace {

/// What the average over a window of these taps divides by.
float divisor(const PoolGeometry& pool, const Taps& rows, const Taps& columns) {
  const std::int64_t count = pool.options.count_include_pad ? pool.options.kernel.height * pool.options.kernel.width
                                                            : rows.count * columns.count;
  return static_cast<float>(std::max<std::int64_t>(1, count));
}

template <class T>
void average_row(const T* x, const PoolGeometry& pool, std::int64_t oh, T* y) {
  const std::int64_t channels = pool.image.channels;
  const Taps rows = pool.rows(oh);
  for (std::int64_t ow = 0; ow < pool.out_width; ++ow) {
    const Taps columns = pool.columns(ow);
    const float count = divisor(pool, rows, columns);
    simd::for_vectors(
        0, channels, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
          simd::f32x8 sum{};
          for (std::int64_t h = rows.first; h < rows.first + rows.count; ++h) {
            for (std::int64_t w = columns.first; w < columns.first + columns.count; ++w) {
              sum += simd::load(x + (h * pool.image.width + w) * channels + c, lanes);
            }
          }
          simd::store(y + ow * channels + c, sum / count, lanes);
        });
  }
}

/// One row of dx, gathered from the windows over each position.
template <class T>
void gather_average_row(const T* dy, const PoolGeometry& pool, std::int64_t h, T* dx) {
  const std::int64_t channels = pool.image.channels;
  const Taps window_rows = pool.windows_of_row(h);
  WindowCursor cursor = pool.windows_of_columns();
  for (std::int64_t w = 0; w < pool.image.width; ++w, cursor.advance()) {
    const Taps window_columns = cursor.windows();
    simd::for_vectors(
        0, channels, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
          simd::f32x8 sum{};
          for (std::int64_t oh = window_rows.first; oh < window_rows.first + window_rows.count; ++oh) {
            for (std::int64_t ow = window_columns.first; ow < window_columns.first + window_columns.count; ++ow) {
              const float count = divisor(pool, pool.rows(oh), pool.columns(ow));
              sum += simd::load(dy + (oh * pool.out_width + ow) * channels + c, lanes) / count;
            }
          }
          simd::store(dx + w * channels + c, sum, lanes);
        });
  }
}

/// The mean over `positions` rows of one panel of one image.
template <class T>
void global_average(const T* x, std::int64_t positions, std::int64_t channels, const ChannelPanel& panel, T* y) {
  std::array<double, ChannelPanel::kMaxChannels> sums{};
  sum_panel_rows(
      panel, channels, 0, positions,
      [&](std::int64_t, std::int64_t offset, auto lanes) { return simd::load(x + offset, lanes); },
      [&](std::int64_t c, double sum) { sums[static_cast<std::size_t>(c - panel.first)] += sum; });
  for (std::int64_t c = 0; c < panel.channels; ++c) {
    y[panel.first + c] = T(static_cast<float>(sums[static_cast<std::size_t>(c)] / static_cast<double>(positions)));
  }
}

}  // namespace

void CpuBackend::avg_pool2d_forward(const Tensor& x, const Pool2dOptions& options, const Tensor& y) {
  check_avg_pool2d_forward(*this, x, options, y);
  enter();
  const PoolGeometry pool(x.shape(), y.shape(), options);
  with_float_type(x.dtype(), [&](auto type) {
    const auto* from = x.data<decltype(type)>();
    auto* to = y.data<decltype(type)>();
    parallel_for(x.dim(0) * pool.out_height, pool.row_grain(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        average_row(from + row / pool.out_height * pool.image_size(), pool, row % pool.out_height,
                    to + row * pool.out_row_size());
      }
    });
  });
}

void CpuBackend::avg_pool2d_backward(const Tensor& dy, const Pool2dOptions& options, const Tensor& dx) {
  check_avg_pool2d_backward(*this, dy, options, dx);
  enter();
  const PoolGeometry pool(dx.shape(), dy.shape(), options);
  with_float_type(dy.dtype(), [&](auto type) {
    const auto* from = dy.data<decltype(type)>();
    auto* to = dx.data<decltype(type)>();
    parallel_for(dx.dim(0) * pool.image.height, pool.row_grain(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        gather_average_row(from + row / pool.image.height * pool.out_size(), pool, row % pool.image.height,
                           to + row * pool.image.width * pool.image.channels);
      }
    });
  });
}

void CpuBackend::global_avg_pool_forward(const Tensor& x, const Tensor& y) {
  check_global_avg_pool_forward(*this, x, y);
  enter();
  const std::int64_t channels = x.dim(3);
  const std::int64_t positions = x.dim(1) * x.dim(2);
  if (positions == 0) return fill(0.0, y);
  with_float_type(x.dtype(), [&](auto type) {
    const auto* from = x.data<decltype(type)>();
    auto* to = y.data<decltype(type)>();
    const std::int64_t grain = kElementGrain / (positions * std::max<std::int64_t>(1, channels)) + 1;
    parallel_for(x.dim(0), grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        for_panels(channels, [&](const ChannelPanel& panel) {
          global_average(from + n * positions * channels, positions, channels, panel, to + n * channels);
        });
      }
    });
  });
}

void CpuBackend::global_avg_pool_backward(const Tensor& dy, const Tensor& dx) {
  check_global_avg_pool_backward(*this, dy, dx);
  enter();
  const std::int64_t channels = dx.dim(3);
  const std::int64_t positions = dx.dim(1) * dx.dim(2);
  const auto count = static_cast<float>(positions);
  if (dx.numel() == 0) return;
  with_float_type(dy.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* from = dy.data<T>();
    T* to = dx.data<T>();
    parallel_for(dx.dim(0) * positions, row_grain(channels), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const T* gradient = from + row / positions * channels;
        T* target = to + row * channels;
        simd::for_vectors(0, channels, [&](std::int64_t c, auto lanes) {
          simd::store(target + c, simd::load(gradient + c, lanes) / count, lanes);
        });
      }
    });
  });
}

}  // namespace graft
