#include <algorithm>
#include <utility>

#include "datasets/dataset.h"
#include "datasets/image_scratch.h"
#include "engine/base/error.h"
#include "engine/io/sha256.h"

namespace graft {
namespace {

class TransformedDataset final : public Dataset {
 public:
  TransformedDataset(DatasetPtr parent, ImageTransform transform)
      : parent_(std::move(parent)), transform_(std::move(transform)) {
    check_transform(transform_);
    const Shape shape = parent_->item_shape();
    check(parent_->item_dtype() == DType::u8 && shape.rank() == 3 && (shape[2] == 1 || shape[2] == 3),
          "[transform] wants u8 images [H, W, 1 or 3], items are {} {}", name_of(parent_->item_dtype()), shape.str());
  }

  std::int64_t size() const override { return parent_->size(); }
  Shape item_shape() const override { return transform_.item_shape(); }
  DType item_dtype() const override { return DType::u8; }
  std::int64_t label(std::int64_t index) const override { return parent_->label(index); }
  bool multi_label() const override { return parent_->multi_label(); }
  void read_targets(std::int64_t index, std::span<float> out) const override { parent_->read_targets(index, out); }
  const std::vector<std::string>& class_names() const override { return parent_->class_names(); }
  std::string content_hash() const override {
    return sha256_hex("transformed " + parent_->content_hash() + " " + transform_.str());
  }

  void read(std::int64_t index, std::span<std::byte> out) const override {
    const ImageScratchPool::Lease scratch(scratch_);
    read_rgb(index, *scratch);
    resize_and_crop(scratch->image.view(), transform_, scratch->resize, out);
  }
  void read_crop(std::int64_t index, const CropDraw& draw, std::span<std::byte> out) const override {
    const ImageScratchPool::Lease scratch(scratch_);
    read_rgb(index, *scratch);
    const Image& image = scratch->image;
    crop_and_resize(image.view(), draw_crop(draw, image.height(), image.width()),
                    draw_interpolation(draw, transform_.interpolation), item_shape(), scratch->resize, out);
  }

 private:
  void read_rgb(std::int64_t index, ImageScratch& scratch) const {
    const Shape shape = parent_->item_shape();
    scratch.image.reshape(shape[0], shape[1], 3);
    auto* pixels = reinterpret_cast<std::byte*>(scratch.image.data());
    if (shape[2] == 3) return parent_->read(index, {pixels, scratch.image.bytes()});
    const std::size_t count = parent_->item_bytes();
    auto* gray = reinterpret_cast<std::byte*>(scratch.file.grow(count));
    parent_->read(index, {gray, count});
    for (std::size_t i = 0; i < count; ++i) std::fill_n(pixels + 3 * i, 3, gray[i]);
  }

  DatasetPtr parent_;
  ImageTransform transform_;
  mutable ImageScratchPool scratch_;
};

}  // namespace

DatasetPtr make_transformed(DatasetPtr parent, const ImageTransform& transform) {
  return std::make_shared<TransformedDataset>(std::move(parent), transform);
}

}  // namespace graft
