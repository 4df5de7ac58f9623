#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "datasets/interpolation.h"

namespace graft {

/// Bits behind the point of Pillow's coefficients for 8-bit images.
inline constexpr int kResizeBits = 32 - 8 - 2;

/// Which source pixels make each result pixel along one axis, and with what weight: fixed-point numbers that add up to
/// about 2^kResizeBits.
struct ResizeAxis {
  std::int64_t count = 0;           ///< result pixels
  std::size_t stride = 0;           ///< room for coefficients of one result pixel, a multiple of 4; unused ones are 0
  std::vector<std::int32_t> first;  ///< [count]: the first source pixel
  std::vector<std::int32_t> taps;   ///< [count]: how many
  std::vector<std::int32_t> coefficients;  ///< [count, stride]

  const std::int32_t* of(std::int64_t result) const {
    return coefficients.data() + static_cast<std::size_t>(result) * stride;
  }
};

/// Result pixels [begin, end) of an axis of `from` pixels resized to `to`. When shrinking the filter is widened by the
/// scale (antialiasing); weights are computed in f64, normalised and rounded away from zero, as Pillow does.
/// `interpolation` is not nearest, which has no weights. Fills `into`, whose memory is used again.
void make_resize_axis(std::int64_t from, std::int64_t to, std::int64_t begin, std::int64_t end,
                      Interpolation interpolation, ResizeAxis& into);

}  // namespace graft
