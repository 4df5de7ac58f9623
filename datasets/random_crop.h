#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "datasets/interpolation.h"
#include "engine/base/philox.h"

namespace graft {

/// A random part of an image, resized to the item's size (Szegedy et al. 2015, "Going deeper with convolutions"): its
/// share of the area is uniform in [min_area, max_area], the logarithm of width over height uniform between those of
/// min_ratio and max_ratio.
struct RandomResizedCrop {
  double min_area = 0.08;
  double max_area = 1.0;
  double min_ratio = 3.0 / 4.0;
  double max_ratio = 4.0 / 3.0;
  /// Above 0, in place of area and ratio: a square of this share of the shorter side, at any place. With the share that
  /// a centre crop takes it is Resize and RandomCrop in one.
  double side = 0.0;
  /// How it is resized: by one of two that is drawn for each image; none: as evaluation resizes.
  std::optional<std::pair<Interpolation, Interpolation>> interpolations{};
};

/// What a random crop is a function of, beside the image's size.
struct CropDraw {
  RandomResizedCrop options{};
  RandomStream random{};  ///< keyed by (seed, role)
  std::int64_t epoch = 0;
  std::int64_t item = 0;  ///< of the data set that is read in batches
};

/// A part of an image.
struct CropBox {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  bool operator==(const CropBox&) const = default;
};

/// The part of an image of `height` x `width` that is drawn, by the algorithm of torchvision's RandomResizedCrop on
/// graft's own random numbers: ten attempts, then the largest central part whose ratio is allowed.
CropBox draw_crop(const CropDraw& draw, std::int64_t height, std::int64_t width);

/// How that part is resized, where `evaluation` is how evaluation resizes.
Interpolation draw_interpolation(const CropDraw& draw, Interpolation evaluation);

}  // namespace graft
