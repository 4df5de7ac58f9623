#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "engine/backend/contract.h"
#include "engine/base/parallel_for.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/pool_window.h"
#include "engine/cpu/simd.h"

namespace graft {

namespace {

constexpr std::int32_t kNoPosition = -1;

/// A maximum and where it stands, in each lane.
struct Maximum {
  simd::f32x8 value = simd::broadcast(-std::numeric_limits<float>::infinity());
  simd::i32x8 position = simd::i32x8{} + kNoPosition;

  /// A later value wins if it is larger, or the first NaN.
  void offer(simd::f32x8 candidate, std::int32_t at) {
    const simd::i32x8 larger_or_nan = ~(candidate <= value);
    const simd::i32x8 wins = larger_or_nan & (value == value);
    value = simd::select(wins, candidate, value);
    position = simd::select(wins, simd::i32x8{} + at, position);
  }
};

/// A window of any number of taps; of none, where it sees nothing but padding, the maximum is -inf.
template <class T>
void max_of_window(const T* x, const PoolImage& image, const Taps& rows, const Taps& columns, T* y,
                   std::int32_t* indices) {
  simd::for_vectors(
      0, image.channels, [=](std::int64_t c, auto lanes) __attribute__((always_inline)) {
        Maximum best;
        for (std::int64_t i = 0; i < rows.count; ++i) {
          for (std::int64_t j = 0; j < columns.count; ++j) {
            const std::int64_t at = (rows.first + i * rows.step) * image.width + columns.first + j * columns.step;
            const simd::f32x8 candidate = simd::load(x + at * image.channels + c, lanes);
            if (i == 0 && j == 0) {  // wins even if it is -inf, so that there is a position
              best = {candidate, simd::i32x8{} + static_cast<std::int32_t>(at)};
            } else {
              best.offer(candidate, static_cast<std::int32_t>(at));
            }
          }
        }
        simd::store(y + c, best.value, lanes);
        if (indices != nullptr) simd::store(indices + c, best.position, lanes);
      });
}

/// A window of kTaps x kTaps taps, all inside the image: unrolled, with the positions found once for all channels.
template <std::size_t kTaps, class T>
void max_of_whole_window(const T* x, const PoolImage& image, const Taps& rows, const Taps& columns, T* y,
                         std::int32_t* indices) {
  std::array<std::int32_t, kTaps * kTaps> positions;
  std::array<const T*, kTaps * kTaps> sources;
  for (std::size_t tap = 0; tap < positions.size(); ++tap) {
    const std::int64_t h = rows.first + static_cast<std::int64_t>(tap / kTaps) * rows.step;
    const std::int64_t w = columns.first + static_cast<std::int64_t>(tap % kTaps) * columns.step;
    positions[tap] = static_cast<std::int32_t>(h * image.width + w);
    sources[tap] = x + (h * image.width + w) * image.channels;
  }
  simd::for_vectors(
      0, image.channels, [&, y, indices ](std::int64_t c, auto lanes) __attribute__((always_inline)) {
        Maximum best{simd::load(sources[0] + c, lanes), simd::i32x8{} + positions[0]};
#pragma GCC unroll 9
        for (std::size_t tap = 1; tap < kTaps * kTaps; ++tap) {
          best.offer(simd::load(sources[tap] + c, lanes), positions[tap]);
        }
        simd::store(y + c, best.value, lanes);
        if (indices != nullptr) simd::store(indices + c, best.position, lanes);
      });
}

template <class T>
void max_of_row(const T* x, const PoolGeometry& pool, std::int64_t oh, T* y, std::int32_t* indices) {
  const Taps rows = pool.rows(oh);
  for (std::int64_t ow = 0; ow < pool.out_width; ++ow) {
    const Taps columns = pool.columns(ow);
    if (rows.count == 2 && columns.count == 2) {
      max_of_whole_window<2>(x, pool.image, rows, columns, y, indices);
    } else if (rows.count == 3 && columns.count == 3) {
      max_of_whole_window<3>(x, pool.image, rows, columns, y, indices);
    } else {
      max_of_window(x, pool.image, rows, columns, y, indices);
    }
    y += pool.image.channels;
    if (indices != nullptr) indices += pool.image.channels;
  }
}

/// One position of dx from `kRows` x `kColumns` windows, of which the first stands at dy and indices; 0 where the
/// compiler shall not unroll and the windows' own counts hold.
template <std::int64_t kRows, std::int64_t kColumns, class T>
void gather_position(const T* dy, const std::int32_t* indices, const PoolGeometry& pool, std::int64_t row_count,
                     std::int64_t column_count, std::int32_t position, T* dx) {
  const std::int64_t rows = kRows > 0 ? kRows : row_count;
  const std::int64_t columns = kColumns > 0 ? kColumns : column_count;
  const std::int64_t channels = pool.image.channels;
  const std::int64_t row_size = pool.out_row_size();
  simd::for_vectors(
      0, channels, [=](std::int64_t c, auto lanes) __attribute__((always_inline)) {
        simd::f32x8 sum{};
        for (std::int64_t row = 0; row < rows; ++row) {
          for (std::int64_t column = 0; column < columns; ++column) {
            const std::int64_t at = row * row_size + column * channels + c;
            const simd::i32x8 chosen = simd::load(indices + at, lanes) == position;
            sum += simd::select(chosen, simd::load(dy + at, lanes), simd::f32x8{});
          }
        }
        simd::store(dx + c, sum, lanes);
      });
}

/// One row of dx: each position gathers from the windows that may have chosen it, in row-major order, and is written
/// once; so nothing is zeroed before and no two threads write to one place.
template <class T>
void gather_row(const T* dy, const std::int32_t* indices, const PoolGeometry& pool, std::int64_t h, T* dx) {
  const std::int64_t channels = pool.image.channels;
  const Taps rows = pool.windows_of_row(h);
  WindowCursor cursor = pool.windows_of_columns();
  for (std::int64_t w = 0; w < pool.image.width; ++w, cursor.advance(), dx += channels) {
    const Taps columns = cursor.windows();
    const std::int64_t first = rows.first * pool.out_row_size() + columns.first * channels;
    auto gather = gather_position<0, 0, T>;
    if (rows.count == 1 && columns.count == 1) gather = gather_position<1, 1, T>;
    if (rows.count == 1 && columns.count == 2) gather = gather_position<1, 2, T>;
    if (rows.count == 2 && columns.count == 1) gather = gather_position<2, 1, T>;
    if (rows.count == 2 && columns.count == 2) gather = gather_position<2, 2, T>;
    gather(dy + first, indices + first, pool, rows.count, columns.count,
           static_cast<std::int32_t>(h * pool.image.width + w), dx);
  }
}

}  // namespace

void CpuBackend::max_pool2d_forward(const Tensor& x, const Pool2dOptions& options, const Tensor& y,
                                    const Tensor& indices) {
  check_max_pool2d_forward(*this, x, options, y, indices);
  enter();
  const PoolGeometry pool(x.shape(), y.shape(), options);
  with_float_type(x.dtype(), [&](auto type) {
    const auto* from = x.data<decltype(type)>();
    auto* to = y.data<decltype(type)>();
    auto* chosen = indices.data<std::int32_t>();
    parallel_for(x.dim(0) * pool.out_height, pool.row_grain(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t first = row * pool.out_row_size();
        max_of_row(from + row / pool.out_height * pool.image_size(), pool, row % pool.out_height, to + first,
                   chosen == nullptr ? nullptr : chosen + first);
      }
    });
  });
}

void CpuBackend::max_pool2d_backward(const Tensor& dy, const Tensor& indices, const Pool2dOptions& options,
                                     const Tensor& dx) {
  check_max_pool2d_backward(*this, dy, indices, options, dx);
  enter();
  const PoolGeometry pool(dx.shape(), dy.shape(), options);
  with_float_type(dy.dtype(), [&](auto type) {
    const auto* from = dy.data<decltype(type)>();
    auto* to = dx.data<decltype(type)>();
    const auto* chosen = indices.data<std::int32_t>();
    parallel_for(dx.dim(0) * pool.image.height, pool.row_grain(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t first = row / pool.image.height * pool.out_size();
        gather_row(from + first, chosen + first, pool, row % pool.image.height,
                   to + row * pool.image.width * pool.image.channels);
      }
    });
  });
}

}  // namespace graft
