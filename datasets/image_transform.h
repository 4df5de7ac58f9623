#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "datasets/image.h"
#include "datasets/image_resize.h"
#include "datasets/interpolation.h"
#include "datasets/random_crop.h"
#include "engine/base/shape.h"

namespace graft {

/// How images of any size become items of one size: a published network's configuration. Evaluation resizes the shorter
/// side to `resize` and takes the centre; training takes a random crop (AugmentOptions) resized to `size`.
struct ImageTransform {
  std::int64_t size = 224;    ///< height and width of the items
  std::int64_t resize = 256;  ///< the shorter side before the centre crop; resize_for() gives it from a crop share
  Interpolation interpolation = Interpolation::bilinear;
  std::vector<float> mean = {0.485f, 0.456f, 0.406f};       ///< a channel, of values in [0, 1]
  std::vector<float> deviation = {0.229f, 0.224f, 0.225f};  ///< a channel

  Shape item_shape() const { return {size, size, 3}; }
  /// A line that names everything the items' bits depend on.
  std::string str() const;
};

/// The shorter side's length for a crop of `size` that is `crop_pct` of it, rounded down as timm does.
std::int64_t resize_for(std::int64_t size, double crop_pct);

/// Throws Error(usage) for sizes that are not positive or a number of means or deviations that is not 3.
void check_transform(const ImageTransform& transform);

/// Evaluation, to the bit torchvision's Resize(resize, interpolation) and CenterCrop(size) on a Pillow image: sizes cut
/// to integers, offsets rounded half to even, zeros around where the image is smaller. Source u8 [h, w, 3]; out [size,
/// size, 3].
void resize_and_crop(const ImageView& source, const ImageTransform& transform, ResizeScratch& scratch,
                     std::span<std::byte> out);

/// The part `box` of the source, resized to out [height, width, C] of `shape` as Pillow resizes what it has cropped.
void crop_and_resize(const ImageView& source, const CropBox& box, Interpolation interpolation, const Shape& shape,
                     ResizeScratch& scratch, std::span<std::byte> out);

}  // namespace graft
