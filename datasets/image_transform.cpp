#include "datasets/image_transform.h"

#include <algorithm>
#include <cmath>

#include "engine/base/error.h"

namespace graft {
namespace {

/// One axis of the centre crop.
struct CenterCrop {
  std::int64_t first = 0;   ///< of the resized image
  std::int64_t count = 0;   ///< pixels taken of it
  std::int64_t before = 0;  ///< zeros in front of them
};

CenterCrop center_crop(std::int64_t from, std::int64_t size) {
  if (size > from) return {.first = 0, .count = from, .before = (size - from) / 2};
  return {.first = std::lrint(static_cast<double>(from - size) / 2.0), .count = size, .before = 0};
}

}  // namespace

std::string ImageTransform::str() const {
  return fmt::format("resize {} {} crop {}", resize, name_of(interpolation), size);
}

std::int64_t resize_for(std::int64_t size, double crop_pct) {
  if (!(crop_pct > 0.0)) fail(ErrorKind::usage, "crop share {}; give one above 0, at most 1", crop_pct);
  return static_cast<std::int64_t>(std::floor(static_cast<double>(size) / crop_pct));
}

void check_transform(const ImageTransform& transform) {
  if (transform.size <= 0 || transform.resize <= 0) {
    fail(ErrorKind::usage, "image size {} of shorter side {}; give positive numbers", transform.size, transform.resize);
  }
  if (transform.mean.size() != 3 || transform.deviation.size() != 3) {
    fail(ErrorKind::usage, "{} means and {} deviations for 3 channels", transform.mean.size(),
         transform.deviation.size());
  }
}

void resize_and_crop(const ImageView& source, const ImageTransform& transform, ResizeScratch& scratch,
                     std::span<std::byte> out) {
  const std::int64_t size = transform.size;
  const auto row_bytes = static_cast<std::size_t>(size * source.channels);
  check(out.size() == row_bytes * static_cast<std::size_t>(size), "[transform] room for {} bytes, {} are needed",
        out.size(), row_bytes * static_cast<std::size_t>(size));
  const bool upright = source.width <= source.height;
  const std::int64_t shorter = upright ? source.width : source.height;
  const std::int64_t longer = transform.resize * (upright ? source.height : source.width) / shorter;
  const std::int64_t height = upright ? longer : transform.resize;
  const std::int64_t width = upright ? transform.resize : longer;
  const CenterCrop rows = center_crop(height, size);
  const CenterCrop columns = center_crop(width, size);
  if (rows.count < size || columns.count < size) std::fill(out.begin(), out.end(), std::byte{0});
  auto* pixels = reinterpret_cast<std::uint8_t*>(out.data()) + static_cast<std::size_t>(rows.before) * row_bytes +
                 static_cast<std::size_t>(columns.before * source.channels);
  resize_image(source,
               {.full_height = height,
                .full_width = width,
                .top = rows.first,
                .left = columns.first,
                .height = rows.count,
                .width = columns.count},
               transform.interpolation, scratch, pixels, row_bytes);
}

void crop_and_resize(const ImageView& source, const CropBox& box, Interpolation interpolation, const Shape& shape,
                     ResizeScratch& scratch, std::span<std::byte> out) {
  check(out.size() == static_cast<std::size_t>(shape.numel()) && shape[2] == source.channels,
        "[transform] {} bytes for {} of {} channels", out.size(), shape.str(), source.channels);
  resize_image(source.part(box.top, box.left, box.height, box.width),
               {.full_height = shape[0], .full_width = shape[1], .height = shape[0], .width = shape[1]}, interpolation,
               scratch, reinterpret_cast<std::uint8_t*>(out.data()), static_cast<std::size_t>(shape[1] * shape[2]));
}

}  // namespace graft
