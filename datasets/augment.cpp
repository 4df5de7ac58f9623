#include "datasets/augment.h"

#include <algorithm>
#include <cstring>

namespace graft {
namespace {

constexpr double kWords = 4294967296.0;  // as many as 32 bits can tell apart

/// Uniform in [-padding, padding].
std::int64_t draw_offset(std::uint32_t word, std::int64_t padding) {
  const auto choices = static_cast<std::uint64_t>(2 * padding + 1);
  return static_cast<std::int64_t>((word * choices) >> 32) - padding;
}

void mirror_row(std::byte* row, std::size_t pixels, std::size_t channels) {
  for (std::size_t i = 0; i < pixels / 2; ++i) {
    std::byte* left = row + i * channels;
    std::swap_ranges(left, left + channels, row + (pixels - 1 - i) * channels);
  }
}

}  // namespace

Augmentation draw_augmentation(const AugmentOptions& options, const RandomStream& random, std::int64_t epoch,
                               std::int64_t item) {
  const auto words = random.words(static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(item));
  Augmentation drawn;
  if (options.crop_padding > 0) {
    drawn.top = draw_offset(words[0], options.crop_padding);
    drawn.left = draw_offset(words[1], options.crop_padding);
  }
  drawn.flip = options.flip && words[2] >= kWords * (1.0 - options.flip_probability);
  return drawn;
}

void augment_image(std::span<const std::byte> source, const Shape& shape, const Augmentation& augmentation,
                   std::span<std::byte> destination) {
  const std::int64_t height = shape[0];
  const std::int64_t width = shape[1];
  const auto channels = static_cast<std::size_t>(shape[2]);
  const auto row_bytes = static_cast<std::size_t>(width) * channels;
  std::fill(destination.begin(), destination.end(), std::byte{0});
  // Columns [begin, end) of the result lie inside the image.
  const std::int64_t begin = std::clamp<std::int64_t>(-augmentation.left, 0, width);
  const std::int64_t end = std::clamp<std::int64_t>(width - augmentation.left, begin, width);
  for (std::int64_t y = 0; y < height; ++y) {
    std::byte* row = destination.data() + static_cast<std::size_t>(y) * row_bytes;
    const std::int64_t from = y + augmentation.top;
    if (from >= 0 && from < height && begin < end) {
      const auto first = static_cast<std::size_t>(begin + augmentation.left) * channels;
      std::memcpy(row + static_cast<std::size_t>(begin) * channels,
                  source.data() + static_cast<std::size_t>(from) * row_bytes + first,
                  static_cast<std::size_t>(end - begin) * channels);
    }
    if (augmentation.flip) mirror_row(row, static_cast<std::size_t>(width), channels);
  }
}

}  // namespace graft
