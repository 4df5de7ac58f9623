#include <algorithm>
#include <cstdint>

#include "engine/backend/adaptive_window.h"
#include "engine/backend/contract.h"
#include "engine/base/parallel_for.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/simd.h"

namespace graft {

namespace {

/// Rows that a thread takes at least, each of `size` elements.
std::int64_t row_grain_of(std::int64_t size) {
  return std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, size));
}

/// One row of y: the mean over rows `rows` of image x [H, W, C].
template <class T>
void average_row(const T* x, AdaptiveRange rows, const AdaptiveAxis& columns, std::int64_t channels, T* y) {
  for (std::int64_t ow = 0; ow < columns.windows; ++ow, y += channels) {
    const AdaptiveRange window = columns.positions(ow);
    const auto count = static_cast<float>(std::max<std::int64_t>(1, rows.size() * window.size()));
    simd::for_vectors(
        0, channels, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
          simd::f32x8 sum{};
          for (std::int64_t h = rows.first; h < rows.end; ++h) {
            for (std::int64_t w = window.first; w < window.end; ++w) {
              sum += simd::load(x + (h * columns.extent + w) * channels + c, lanes);
            }
          }
          simd::store(y + c, sum / count, lanes);
        });
  }
}

/// One row of dx, gathered from the windows `over` it of dy [OH, OW, C].
template <class T>
void gather_row(const T* dy, AdaptiveRange over, const AdaptiveAxis& rows, const AdaptiveAxis& columns,
                std::int64_t channels, T* dx) {
  for (std::int64_t w = 0; w < columns.extent; ++w, dx += channels) {
    const AdaptiveRange windows = columns.windows_over(w);
    simd::for_vectors(
        0, channels, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
          simd::f32x8 sum{};
          for (std::int64_t oh = over.first; oh < over.end; ++oh) {
            for (std::int64_t ow = windows.first; ow < windows.end; ++ow) {
              const auto count = static_cast<float>(rows.positions(oh).size() * columns.positions(ow).size());
              sum += simd::load(dy + (oh * columns.windows + ow) * channels + c, lanes) / count;
            }
          }
          simd::store(dx + c, sum, lanes);
        });
  }
}

}  // namespace

void CpuBackend::adaptive_avg_pool2d_forward(const Tensor& x, const Tensor& y) {
  check_adaptive_avg_pool2d_forward(*this, x, y);
  enter();
  const AdaptiveAxis rows{x.dim(1), y.dim(1)};
  const AdaptiveAxis columns{x.dim(2), y.dim(2)};
  const std::int64_t channels = x.dim(3);
  with_float_type(x.dtype(), [&](auto type) {
    const auto* from = x.data<decltype(type)>();
    auto* to = y.data<decltype(type)>();
    const std::int64_t grain = row_grain_of(x.dim(2) * channels);
    parallel_for(y.dim(0) * rows.windows, grain, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        average_row(from + row / rows.windows * rows.extent * columns.extent * channels,
                    rows.positions(row % rows.windows), columns, channels, to + row * columns.windows * channels);
      }
    });
  });
}

void CpuBackend::adaptive_avg_pool2d_backward(const Tensor& dy, const Tensor& dx) {
  check_adaptive_avg_pool2d_backward(*this, dy, dx);
  enter();
  const AdaptiveAxis rows{dx.dim(1), dy.dim(1)};
  const AdaptiveAxis columns{dx.dim(2), dy.dim(2)};
  const std::int64_t channels = dx.dim(3);
  with_float_type(dy.dtype(), [&](auto type) {
    const auto* from = dy.data<decltype(type)>();
    auto* to = dx.data<decltype(type)>();
    const std::int64_t grain = row_grain_of(dx.dim(2) * channels);
    parallel_for(dx.dim(0) * rows.extent, grain, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        gather_row(from + row / rows.extent * rows.windows * columns.windows * channels,
                   rows.windows_over(row % rows.extent), rows, columns, channels, to + row * columns.extent * channels);
      }
    });
  });
}

}  // namespace graft
