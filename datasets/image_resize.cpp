#include "datasets/image_resize.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/base/error.h"

namespace graft {
namespace {

/// The source pixels of result pixels [begin, begin + count): Pillow adds up the scale, and its rounding is kept.
std::vector<std::int64_t> nearest_pixels(std::int64_t from, std::int64_t to, std::int64_t begin, std::int64_t count) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  std::vector<std::int64_t> pixels;
  double at = scale * 0.5;
  for (std::int64_t i = 0; i < begin + count; ++i, at += scale) {
    if (i >= begin) pixels.push_back(std::min(from - 1, static_cast<std::int64_t>(at)));
  }
  return pixels;
}

void resize_nearest(const ImageView& source, const ResizeWindow& window, std::uint8_t* out, std::size_t out_stride) {
  const auto columns = nearest_pixels(source.width, window.full_width, window.left, window.width);
  const auto rows = nearest_pixels(source.height, window.full_height, window.top, window.height);
  const auto channels = static_cast<std::size_t>(source.channels);
  for (const std::int64_t row : rows) {
    std::uint8_t* to = out;
    for (const std::int64_t column : columns) {
      to = std::copy_n(source.row(row) + static_cast<std::size_t>(column) * channels, channels, to);
    }
    out += out_stride;
  }
}

void copy_rows(const ImageView& source, std::uint8_t* out, std::size_t out_stride) {
  for (std::int64_t y = 0; y < source.height; ++y, out += out_stride) {
    std::memcpy(out, source.row(y), static_cast<std::size_t>(source.width * source.channels));
  }
}

}  // namespace

void resize_image(const ImageView& source, const ResizeWindow& window, Interpolation interpolation,
                  ResizeScratch& scratch, std::uint8_t* out, std::size_t out_stride) {
  check(source.height > 0 && source.width > 0 && source.channels >= 1 && source.channels <= 4,
        "[resize] image {}x{} of {} channels; give 1 to 4", source.width, source.height, source.channels);
  check(window.top >= 0 && window.left >= 0 && window.height > 0 && window.width > 0 &&
            window.top + window.height <= window.full_height && window.left + window.width <= window.full_width,
        "[resize] a window of {}x{} at ({}, {}) does not lie in {}x{}", window.width, window.height, window.left,
        window.top, window.full_width, window.full_height);
  if (interpolation == Interpolation::nearest) return resize_nearest(source, window, out, out_stride);
  const bool narrow = source.width != window.full_width;
  const bool shorten = source.height != window.full_height;
  if (narrow) {
    make_resize_axis(source.width, window.full_width, window.left, window.left + window.width, interpolation,
                     scratch.columns);
  }
  // Columns first, and only of the rows that the second pass reads.
  ImageView rows = narrow ? source : source.part(0, window.left, source.height, window.width);
  if (!shorten) {
    rows = rows.part(window.top, 0, window.height, rows.width);
    return narrow ? resize_columns(rows, scratch, out, out_stride) : copy_rows(rows, out, out_stride);
  }
  make_resize_axis(source.height, window.full_height, window.top, window.top + window.height, interpolation,
                   scratch.rows);
  const std::int64_t above = scratch.rows.first.front();
  const std::int64_t below = scratch.rows.first.back() + scratch.rows.taps.back();
  rows = rows.part(above, 0, below - above, rows.width);
  if (narrow) {
    const auto row_bytes = static_cast<std::size_t>(window.width * source.channels);
    std::uint8_t* narrowed = scratch.narrowed.grow(row_bytes * static_cast<std::size_t>(rows.height));
    resize_columns(rows, scratch, narrowed, row_bytes);
    rows = {.pixels = narrowed,
            .height = rows.height,
            .width = window.width,
            .channels = source.channels,
            .row_bytes = row_bytes};
  }
  resize_rows(rows, scratch.rows, above, out, out_stride);
}

}  // namespace graft
