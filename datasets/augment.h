#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "datasets/loader.h"
#include "engine/base/philox.h"
#include "engine/base/shape.h"

namespace graft {

/// What happens to one image.
struct Augmentation {
  std::int64_t top = 0;  ///< first row and column of the crop, in the unpadded image; negative: within the padding
  std::int64_t left = 0;
  bool flip = false;
};

/// The augmentation of item `item` in epoch `epoch`: a function of these and the stream.
Augmentation draw_augmentation(const AugmentOptions& options, const RandomStream& random, std::int64_t epoch,
                               std::int64_t item);

/// Crops the zero-padded u8 image `source` of `shape` [H, W, C] to its own size, then mirrors it left to right if
/// asked. The spans do not overlap.
void augment_image(std::span<const std::byte> source, const Shape& shape, const Augmentation& augmentation,
                   std::span<std::byte> destination);

}  // namespace graft
