#pragma once

#include "cuda/kernels/device/fast_divisor.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// One axis of an implicit matrix over an image: its rows are the pixels of a grid, its columns the taps of a kernel,
/// and grid pixel i meets tap j at image pixel i * stride + origin + j * tap_step, zero outside of the image.
struct PixelAxis {
  FastDivisor grid;  ///< pixels of the grid
  FastDivisor taps;
  int stride = 1;
  int origin = 0;
  int tap_step = 1;
  int image = 0;  ///< pixels of the image
};

/// The matrix [images * grid, taps * channels] that convolution reads from an NHWC image. Nothing of it is ever stored:
/// loaders compute where its elements are. It counts channels in units: chunks of 16 bytes, or elements.
struct PixelMap {
  PixelAxis h;
  PixelAxis w;
  FastDivisor tap_units;  ///< units of one tap: the group's channels
  int pixel_units = 0;    ///< units from a pixel to the next: all channels
};

/// A place in an image that may be outside of it: coordinates, and its offset in units, modulo 2^32 where outside.
struct ImagePlace {
  int h;
  int w;
  unsigned unit;
};
inline constexpr int kNowhere = -(1 << 15);  ///< coordinate that no tap brings back into an image

/// Where the row of the matrix begins: what tap (0, 0) meets.
__device__ __forceinline__ ImagePlace place_of_row(const PixelMap& map, int row) {
  const int line = map.w.grid.quotient(row);
  const int image = map.h.grid.quotient(line);
  const int h = map.h.grid.remainder(line, image) * map.h.stride + map.h.origin;
  const int w = map.w.grid.remainder(row, line) * map.w.stride + map.w.origin;
  const unsigned pixel =
      (static_cast<unsigned>(image) * static_cast<unsigned>(map.h.image) + static_cast<unsigned>(h)) *
          static_cast<unsigned>(map.w.image) +
      static_cast<unsigned>(w);
  return {h, w, pixel * static_cast<unsigned>(map.pixel_units)};
}

/// How far a column of the matrix, counted in units, is from its row's beginning.
__device__ __forceinline__ ImagePlace step_of_column(const PixelMap& map, int column) {
  const int tap = map.tap_units.quotient(column);
  const int unit = map.tap_units.remainder(column, tap);
  const int tap_h = map.w.taps.quotient(tap);
  const int h = tap_h * map.h.tap_step;
  const int w = map.w.taps.remainder(tap, tap_h) * map.w.tap_step;
  const unsigned pixels = static_cast<unsigned>(h) * static_cast<unsigned>(map.w.image) + static_cast<unsigned>(w);
  return {h, w, pixels * static_cast<unsigned>(map.pixel_units) + static_cast<unsigned>(unit)};
}

__device__ __forceinline__ bool inside_image(const PixelMap& map, int h, int w) {
  return static_cast<unsigned>(h) < static_cast<unsigned>(map.h.image) &&
         static_cast<unsigned>(w) < static_cast<unsigned>(map.w.image);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
