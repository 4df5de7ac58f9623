#include "engine/backend/images.h"

#include <algorithm>
#include <vector>

#include "engine/base/parallel_for.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"

// Batches from images in memory: a pixel has 256 values, so each channel's normalised ones are worked out once.

namespace graft {

namespace {

constexpr std::int64_t kLevels = 256;

/// [256, C]: what value p of channel c becomes.
template <class T>
std::vector<T> normalised_levels(std::int64_t channels, const float* mean, const float* deviation) {
  std::vector<T> levels(static_cast<std::size_t>(kLevels * channels));
  for (std::int64_t p = 0; p < kLevels; ++p) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float value = (static_cast<float>(p) / 255.0f - mean[c]) / deviation[c];
      levels[static_cast<std::size_t>(p * channels + c)] = static_cast<T>(value);
    }
  }
  return levels;
}

/// One row of a crop: columns [begin, end) of it lie inside the image and are taken from `source`, forwards or
/// backwards; the others become level 0.
template <class T>
void gather_row(const std::uint8_t* source, std::int64_t width, std::int64_t channels, std::int64_t left, bool flip,
                const T* levels, T* target) {
  for (std::int64_t w = 0; w < width; ++w, target += channels) {
    const std::int64_t column = (flip ? width - 1 - w : w) + left;
    if (source == nullptr || column < 0 || column >= width) {
      std::copy(levels, levels + channels, target);
    } else {
      const std::uint8_t* pixel = source + column * channels;
      for (std::int64_t c = 0; c < channels; ++c) target[c] = levels[pixel[c] * channels + c];
    }
  }
}

}  // namespace

void CpuBackend::gather_images(const Tensor& images, const Tensor& picks, const Tensor& mean, const Tensor& deviation,
                               const Tensor& y) {
  check_gather_images(*this, images, picks, mean, deviation, y);
  if (y.numel() == 0) return;
  enter();
  const std::uint8_t* pixels = images.data<std::uint8_t>();
  const std::int32_t* table = picks.data<std::int32_t>();
  const std::int64_t height = images.dim(1);
  const std::int64_t width = images.dim(2);
  const std::int64_t channels = images.dim(3);
  const std::int64_t row_size = width * channels;
  with_float_type(y.dtype(), [&](auto type) {
    using T = decltype(type);
    T* target = y.data<T>();
    const std::vector<T> levels = normalised_levels<T>(channels, mean.data<float>(), deviation.data<float>());
    const std::int64_t grain = std::max<std::int64_t>(1, kElementGrain / row_size);
    parallel_for(picks.dim(0) * height, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int32_t* pick = table + i / height * kPickColumns;
        const std::int64_t row = i % height + pick[kPickTop];
        const bool inside = pick[kPickImage] >= 0 && row >= 0 && row < height;
        const std::uint8_t* source = inside ? pixels + (pick[kPickImage] * height + row) * row_size : nullptr;
        gather_row(source, width, channels, pick[kPickLeft], pick[kPickFlip] != 0, levels.data(),
                   target + i * row_size);
      }
    });
  });
}

}  // namespace graft
