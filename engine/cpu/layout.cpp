#include <algorithm>
#include <cstdint>
#include <cstring>

#include "engine/backend/contract.h"
#include "engine/base/error.h"
#include "engine/base/parallel_for.h"
#include "engine/cpu/channel_panel.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/simd.h"

namespace graft {

namespace {

/// y [columns, rows] = x [rows, columns] for columns [begin, end), in blocks that stay in the first-level cache on both
/// sides.
template <class T>
void transpose(const T* x, std::int64_t rows, std::int64_t columns, std::int64_t begin, std::int64_t end, T* y) {
  constexpr std::int64_t kBlock = 16;
  for (std::int64_t row = 0; row < rows; row += kBlock) {
    const std::int64_t last_row = std::min(rows, row + kBlock);
    for (std::int64_t column = begin; column < end; column += kBlock) {
      const std::int64_t last_column = std::min(end, column + kBlock);
      for (std::int64_t c = column; c < last_column; ++c) {
        for (std::int64_t r = row; r < last_row; ++r) y[c * rows + r] = x[r * columns + c];
      }
    }
  }
}

/// y [N, columns, rows] = x [N, rows, columns], by bits of the element's size.
template <class Bits>
void transpose_images(const Tensor& x, std::int64_t rows, std::int64_t columns, const Tensor& y) {
  const auto* source = static_cast<const Bits*>(x.raw());
  auto* target = static_cast<Bits*>(y.raw());
  const std::int64_t size = rows * columns;
  // Whole images where there are enough of them, columns of single images otherwise.
  const std::int64_t grain = std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, rows));
  parallel_for(size == 0 ? 0 : x.dim(0) * columns, grain, [=](std::int64_t begin, std::int64_t end) {
    while (begin < end) {
      const std::int64_t image = begin / columns;
      const std::int64_t last = std::min(end, (image + 1) * columns);
      transpose(source + image * size, rows, columns, begin - image * columns, last - image * columns,
                target + image * size);
      begin = last;
    }
  });
}

void transpose_images(const Tensor& x, std::int64_t rows, std::int64_t columns, const Tensor& y) {
  switch (size_of(x.dtype())) {
    case 1:
      return transpose_images<std::uint8_t>(x, rows, columns, y);
    case 2:
      return transpose_images<std::uint16_t>(x, rows, columns, y);
    case 4:
      return transpose_images<std::uint32_t>(x, rows, columns, y);
    default:
      return transpose_images<std::uint64_t>(x, rows, columns, y);
  }
}

/// One row of pixels of a subsampled image and the row of the full image that it is taken from, [W2, C2] and [W, C].
struct SubsampledRow {
  std::int64_t width;
  std::int64_t stride;
  std::int64_t channels;       ///< C
  std::int64_t wide_channels;  ///< C2

  std::int64_t before() const { return (wide_channels - channels) / 2; }
};

template <class T>
void subsample_row(const SubsampledRow& row, const T* full, T* sampled) {
  for (std::int64_t w = 0; w < row.width; ++w, full += row.stride * row.channels, sampled += row.wide_channels) {
    T* kept = sampled + row.before();
    std::fill(sampled, kept, T{});
    std::copy(full, full + row.channels, kept);
    std::fill(kept + row.channels, sampled + row.wide_channels, T{});
  }
}

/// `full_width` pixels of dx, zero but for those that were kept.
template <class T>
void restore_row(const SubsampledRow& row, const T* sampled, std::int64_t full_width, T* full) {
  std::fill(full, full + full_width * row.channels, T{});
  for (std::int64_t w = 0; w < row.width; ++w) {
    const T* kept = sampled + w * row.wide_channels + row.before();
    std::copy(kept, kept + row.channels, full + w * row.stride * row.channels);
  }
}

std::int64_t rows_a_thread(std::int64_t row_size) {
  return std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, row_size));
}

}  // namespace

void CpuBackend::nhwc_to_nchw(const Tensor& x, const Tensor& y) {
  check_nhwc_to_nchw(*this, x, y);
  enter();
  transpose_images(x, x.dim(1) * x.dim(2), x.dim(3), y);
}

void CpuBackend::nchw_to_nhwc(const Tensor& x, const Tensor& y) {
  check_nchw_to_nhwc(*this, x, y);
  enter();
  transpose_images(x, x.dim(1), x.dim(2) * x.dim(3), y);
}

void CpuBackend::subsample_pad_forward(const Tensor& x, std::int64_t stride, const Tensor& y) {
  check_subsample_pad("subsample_pad", *this, {"x", x}, {"y", y}, stride);
  enter();
  const SubsampledRow row{y.dim(2), stride, x.dim(3), y.dim(3)};
  const std::int64_t height = x.dim(1);
  const std::int64_t out_height = y.dim(1);
  const std::int64_t full_size = x.dim(2) * x.dim(3);
  const std::int64_t size = y.dim(2) * y.dim(3);
  with_float_type(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* full = x.data<T>();
    T* sampled = y.data<T>();
    parallel_for(y.dim(0) * out_height, rows_a_thread(size), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t full_row = i / out_height * height + i % out_height * stride;
        subsample_row(row, full + full_row * full_size, sampled + i * size);
      }
    });
  });
}

void CpuBackend::subsample_pad_backward(const Tensor& dy, std::int64_t stride, const Tensor& dx) {
  check_subsample_pad("subsample_pad_backward", *this, {"dx", dx}, {"dy", dy}, stride);
  enter();
  const SubsampledRow row{dy.dim(2), stride, dx.dim(3), dy.dim(3)};
  const std::int64_t height = dx.dim(1);
  const std::int64_t out_height = dy.dim(1);
  const std::int64_t full_size = dx.dim(2) * dx.dim(3);
  const std::int64_t size = dy.dim(2) * dy.dim(3);
  with_float_type(dy.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* sampled = dy.data<T>();
    T* full = dx.data<T>();
    const std::int64_t full_width = dx.dim(2);
    parallel_for(dx.dim(0) * height, rows_a_thread(full_size), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t h = i % height;
        T* target = full + i * full_size;
        if (h % stride != 0) {
          std::fill(target, target + full_size, T{});
        } else {
          restore_row(row, sampled + (i / height * out_height + h / stride) * size, full_width, target);
        }
      }
    });
  });
}

void CpuBackend::normalize_images(const Tensor& x, const Tensor& mean, const Tensor& deviation, const Tensor& y) {
  check_normalize_images(*this, x, mean, deviation, y);
  const std::int64_t channels = x.dim(3);
  if (x.numel() == 0) return;
  enter();
  const std::uint8_t* pixels = x.data<std::uint8_t>();
  const float* mean_of = mean.data<float>();
  const float* deviation_of = deviation.data<float>();
  with_float_type(y.dtype(), [&](auto type) {
    auto* target = y.data<decltype(type)>();
    parallel_for(x.numel() / channels, row_grain(channels), [&](std::int64_t begin, std::int64_t end) {
      for_panels(channels, [&](const ChannelPanel& panel) {
        TileValues means;
        TileValues deviations;
        means.spread(panel, [&](std::int64_t c) { return mean_of[c]; });
        deviations.spread(panel, [&](std::int64_t c) { return deviation_of[c]; });
        for_tile_vectors(panel, channels, begin, end, [&](std::int64_t i, std::int64_t offset, auto lanes) {
          const simd::f32x8 pixel = simd::load(pixels + offset, lanes) / 255.0f;
          simd::store(target + offset, (pixel - means.at(i)) / deviations.at(i), lanes);
        });
      });
    });
  });
}

}  // namespace graft
