#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "datasets/image.h"
#include "datasets/resize_axis.h"

namespace graft {

/// Memory that resizing uses again from image to image; one a thread.
struct ResizeScratch {
  ResizeAxis columns;
  ResizeAxis rows;
  std::vector<std::int16_t> halves;
  PixelBuffer row;
  PixelBuffer narrowed;
};

/// out[y, x, c] = sum of coefficient * source[y, first[x] + k, c], rounded and cut to [0, 255]: all rows of `source`,
/// columns as scratch.columns says. `out` has rows of columns.count pixels, `out_stride` bytes apart.
void resize_columns(const ImageView& source, ResizeScratch& scratch, std::uint8_t* out, std::size_t out_stride);

/// The same along the other axis: rows of out as `rows` says, all columns of `source`; source row r is row r + `above`
/// of the image that `rows` was made for.
void resize_rows(const ImageView& source, const ResizeAxis& rows, std::int64_t above, std::uint8_t* out,
                 std::size_t out_stride);

}  // namespace graft
