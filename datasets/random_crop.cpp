#include "datasets/random_crop.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace graft {
namespace {

constexpr int kAttempts = 10;
constexpr std::uint64_t kBlocksPerItem = 16;  // more than kAttempts: the interpolation's numbers follow theirs

double uniform(std::uint32_t word, double low, double high) { return low + (high - low) * uniform_float(word); }

std::int64_t below(std::uint32_t word, std::int64_t bound) {
  return static_cast<std::int64_t>((word * static_cast<std::uint64_t>(bound)) >> 32);
}

/// To the nearest integer, halves to even.
std::int64_t rounded(double value) { return std::lrint(value); }

std::array<std::uint32_t, 4> words_of(const CropDraw& draw, int block) {
  return draw.random.words(static_cast<std::uint64_t>(draw.epoch),
                           static_cast<std::uint64_t>(draw.item) * kBlocksPerItem + static_cast<std::uint64_t>(block));
}

CropBox central_crop(const RandomResizedCrop& options, std::int64_t height, std::int64_t width) {
  const double ratio = static_cast<double>(width) / static_cast<double>(height);
  CropBox box{.height = height, .width = width};
  if (ratio < options.min_ratio) {
    box.height = rounded(static_cast<double>(width) / options.min_ratio);
  } else if (ratio > options.max_ratio) {
    box.width = rounded(static_cast<double>(height) * options.max_ratio);
  }
  box.top = (height - box.height) / 2;
  box.left = (width - box.width) / 2;
  return box;
}

CropBox draw_square(const CropDraw& draw, std::int64_t height, std::int64_t width) {
  const auto words = words_of(draw, 0);
  const std::int64_t shorter = std::min(height, width);
  const std::int64_t side =
      std::clamp<std::int64_t>(rounded(draw.options.side * static_cast<double>(shorter)), 1, shorter);
  return {.top = below(words[2], height - side + 1),
          .left = below(words[3], width - side + 1),
          .height = side,
          .width = side};
}

}  // namespace

CropBox draw_crop(const CropDraw& draw, std::int64_t height, std::int64_t width) {
  const RandomResizedCrop& options = draw.options;
  if (options.side > 0.0) return draw_square(draw, height, width);
  const double area = static_cast<double>(height * width);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto words = words_of(draw, attempt);
    const double target = area * uniform(words[0], options.min_area, options.max_area);
    const double ratio = std::exp(uniform(words[1], std::log(options.min_ratio), std::log(options.max_ratio)));
    CropBox box{.height = rounded(std::sqrt(target / ratio)), .width = rounded(std::sqrt(target * ratio))};
    if (box.width <= 0 || box.width > width || box.height <= 0 || box.height > height) continue;
    box.top = below(words[2], height - box.height + 1);
    box.left = below(words[3], width - box.width + 1);
    return box;
  }
  return central_crop(options, height, width);
}

Interpolation draw_interpolation(const CropDraw& draw, Interpolation evaluation) {
  const auto& interpolations = draw.options.interpolations;
  if (!interpolations) return evaluation;
  return (words_of(draw, kAttempts)[0] >> 31) == 0 ? interpolations->first : interpolations->second;
}

}  // namespace graft
