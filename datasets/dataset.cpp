#include "datasets/dataset.h"

#include <algorithm>

#include "datasets/image.h"
#include "datasets/image_resize.h"
#include "engine/base/error.h"

namespace graft {

void Dataset::read_targets(std::int64_t index, std::span<float> out) const {
  std::fill(out.begin(), out.end(), 0.0f);
  out[static_cast<std::size_t>(label(index))] = 1.0f;
}

void Dataset::read_crop(std::int64_t index, const CropDraw& draw, std::span<std::byte> out) const {
  const Shape shape = item_shape();
  check(item_dtype() == DType::u8 && shape.rank() == 3,
        "[dataset] random crops want u8 images [H, W, C], items are {} {}", name_of(item_dtype()), shape.str());
  Image image;
  image.reshape(shape[0], shape[1], shape[2]);
  read(index, {reinterpret_cast<std::byte*>(image.data()), image.bytes()});
  ResizeScratch scratch;
  crop_and_resize(image.view(), draw_crop(draw, shape[0], shape[1]), draw_interpolation(draw, Interpolation::bilinear),
                  shape, scratch, out);
}

}  // namespace graft
