#pragma once

#include <cstddef>
#include <cstdint>

#include "datasets/image.h"
#include "datasets/interpolation.h"
#include "datasets/resize_passes.h"

namespace graft {

/// The part of a resized image that is wanted.
struct ResizeWindow {
  std::int64_t full_height = 0;  ///< of the resized image
  std::int64_t full_width = 0;
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t height = 0;  ///< the window lies inside
  std::int64_t width = 0;
};

/// Resizes `source`, u8 [h, w, C], as Image.resize of Pillow to 12.3 does with its default box, to the bit: columns
/// first, rounded to 8 bits, then rows. (Pillow 13 takes rows first where that is less work, with other roundings.) A
/// window's pixels are those of the whole; they are written to `out`, rows `out_stride` bytes apart. C is 1 to 4.
void resize_image(const ImageView& source, const ResizeWindow& window, Interpolation interpolation,
                  ResizeScratch& scratch, std::uint8_t* out, std::size_t out_stride);

}  // namespace graft
