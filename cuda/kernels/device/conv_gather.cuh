#pragma once

#include <cstdint>

#include "cuda/device.cuh"
#include "cuda/kernels/device/simt_tile.cuh"

// What the implicit matrix products of convolution share: an image is read as a matrix that is never written down. Its
// element for a pixel and a tap lies at the sum of two displacements, one of the pixel and one of the tap, and is zero
// where the sum falls outside of the image.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// A displacement in an image [N, H, W, C]: `offset` elements, h rows and w columns.
struct alignas(16) Displacement {
  std::int64_t offset;
  int h;
  int w;
};
/// Added to anything, it lies outside.
inline constexpr int kOutside = -(1 << 30);

/// A number in mixed radix: inner < Digits' limit `inner`, middle < limit `middle`, outer without limit.
struct Digits {
  int outer;
  int middle;
  int inner;
};

/// The digits of `number`; the limits' `outer` is not used, the others are at least 1.
__host__ __device__ inline Digits digits_of(int number, const Digits& limits) {
  return {number / limits.inner / limits.middle, number / limits.inner % limits.middle, number % limits.inner};
}

/// Limits of a count over taps and channels; where one of the extents is 0 there are no tap rows.
inline Digits tap_digits(std::int64_t rows, std::int64_t columns, std::int64_t channels) {
  const bool any = rows > 0 && columns > 0 && channels > 0;
  return any ? Digits{static_cast<int>(rows), static_cast<int>(columns), static_cast<int>(channels)} : Digits{0, 1, 1};
}

/// number += step, digit by digit.
__device__ __forceinline__ void advance(Digits& number, const Digits& step, const Digits& limits) {
  number.inner += step.inner;
  number.middle += step.middle;
  number.outer += step.outer;
  if (number.inner >= limits.inner) {
    number.inner -= limits.inner;
    ++number.middle;
  }
  if (number.middle >= limits.middle) {
    number.middle -= limits.middle;
    ++number.outer;
  }
}

/// The vector at `address`, or zeros: a load under a predicate, not a branch.
template <int kV, class T>
__device__ __forceinline__ Vector<T, kV> load_if(bool condition, const T* address) {
  Vector<T, kV> vector{};
  if (condition) vector = load_vector<kV>(address);
  return vector;
}

/// The image that is gathered from.
struct GatheredImage {
  int height;
  int width;
  std::int64_t channels;

  __device__ __forceinline__ std::int64_t offset(std::int64_t image, std::int64_t h, std::int64_t w) const {
    return ((image * height + h) * width + w) * channels;
  }
  template <int kV, class T>
  __device__ __forceinline__ Vector<T, kV> load(const T* x, const Displacement& a, const Displacement& b) const {
    const bool inside = static_cast<unsigned>(a.h + b.h) < static_cast<unsigned>(height) &&
                        static_cast<unsigned>(a.w + b.w) < static_cast<unsigned>(width);
    return inside ? load_vector<kV>(x + (a.offset + b.offset)) : Vector<T, kV>{};
  }
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
