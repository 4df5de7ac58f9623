#pragma once

#include <array>
#include <cstdint>

#include "engine/cpu/simd.h"
#include "engine/cpu/simd_math.h"

/// The gradient of a depthwise convolution's weights on NHWC images: channels are vectors, pixels and taps are loops.
namespace graft::depthwise {

using simd::f32x8;

/// A run of output gradients of one row and the pixels that were multiplied with them.
struct GradientRun {
  const float* dy;
  std::int64_t count;     ///< of output pixels
  std::int64_t channels;  ///< also elements from one to the next
  std::int64_t step;      ///< elements from one output's pixels to the next one's
  std::int64_t dilation;  ///< elements from one tap of a kernel row to the next
};

/// sums[row][k][c] += the run's dy times the pixel that tap k of kernel row `row` saw, for one vector of channels from
/// c on. All sums stay in registers over the run. `lanes`: Full, or how many channels are left.
template <int kRows, int kTaps, class Lanes>
inline __attribute__((always_inline)) void add_products_at(const GradientRun& run,
                                                           const std::array<const float*, kRows>& pixels,
                                                           const std::array<float*, kRows>& sums, std::int64_t stride,
                                                           std::int64_t c, Lanes lanes) {
  f32x8 products[kRows][kTaps] = {};
  for (std::int64_t j = 0; j < run.count; ++j) {
    const f32x8 gradient = simd::load(run.dy + j * run.channels + c, lanes);
    for (int row = 0; row < kRows; ++row) {
      const float* pixel = pixels[static_cast<std::size_t>(row)] + j * run.step + c;
      for (int k = 0; k < kTaps; ++k) {
        products[row][k] = simd::multiply_add(simd::load(pixel + k * run.dilation, lanes), gradient, products[row][k]);
      }
    }
  }
  for (int row = 0; row < kRows; ++row) {
    for (int k = 0; k < kTaps; ++k) {
      float* sum = sums[static_cast<std::size_t>(row)] + k * stride + c;
      simd::store(sum, simd::load(sum, lanes) + products[row][k], lanes);
    }
  }
}

/// The same for all channels. `pixels`: what tap 0 of each kernel row saw for the run's first output; `stride`: floats
/// from one tap's sums to the next one's.
template <int kRows, int kTaps>
void add_products(const GradientRun& run, const std::array<const float*, kRows>& pixels,
                  const std::array<float*, kRows>& sums, std::int64_t stride) {
  simd::for_vectors(
      0, run.channels, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
        add_products_at<kRows, kTaps>(run, pixels, sums, stride, c, lanes);
      });
}

}  // namespace graft::depthwise
