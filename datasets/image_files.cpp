#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <utility>

#include "datasets/image_folder.h"
#include "datasets/image_scratch.h"
#include "engine/base/error.h"
#include "engine/io/descriptor.h"
#include "engine/io/sha256.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHashedPart = 4096;

class ImageFileDataset final : public Dataset {
 public:
  ImageFileDataset(ImageFiles files, ImageTransform transform, const ImageLimits& limits)
      : files_(std::move(files)), transform_(std::move(transform)), limits_(limits) {
    check_transform(transform_);
    const std::size_t wanted = files_.files.size() * (multi_label() ? files_.class_names.size() : 1);
    const std::size_t labels = multi_label() ? files_.targets.size() : files_.labels.size();
    check(labels == wanted, "[images] {} files, {} labels", files_.files.size(), labels);
  }

  std::int64_t size() const override { return static_cast<std::int64_t>(files_.files.size()); }
  Shape item_shape() const override { return transform_.item_shape(); }
  DType item_dtype() const override { return DType::u8; }
  std::int64_t label(std::int64_t index) const override {
    return multi_label() ? -1 : files_.labels.at(static_cast<std::size_t>(index));
  }
  bool multi_label() const override { return !files_.targets.empty(); }
  void read_targets(std::int64_t index, std::span<float> out) const override {
    if (!multi_label()) return Dataset::read_targets(index, out);
    const auto first = files_.targets.begin() + static_cast<std::ptrdiff_t>(index) * std::ssize(files_.class_names);
    std::copy(first, first + std::ssize(files_.class_names), out.begin());
  }
  const std::vector<std::string>& class_names() const override { return files_.class_names; }
  std::string file_name(std::int64_t index) const override { return files_.files.at(static_cast<std::size_t>(index)); }

  void read(std::int64_t index, std::span<std::byte> out) const override {
    const ImageScratchPool::Lease scratch(scratch_);
    read_image(path(index), limits_, scratch->file, scratch->image);
    resize_and_crop(scratch->image.view(), transform_, scratch->resize, out);
  }
  void read_crop(std::int64_t index, const CropDraw& draw, std::span<std::byte> out) const override {
    const ImageScratchPool::Lease scratch(scratch_);
    read_image(path(index), limits_, scratch->file, scratch->image);
    const Image& image = scratch->image;
    crop_and_resize(image.view(), draw_crop(draw, image.height(), image.width()),
                    draw_interpolation(draw, transform_.interpolation), item_shape(), scratch->resize, out);
  }

  std::string content_hash() const override {
    const std::lock_guard lock(hashing_);
    if (!hash_.empty()) return hash_;
    Sha256 sha;
    sha.update(fmt::format("image files {} {}\n", size(), transform_.str()));
    for (const std::string& name : files_.class_names) sha.update(name + "\n");
    sha.update(std::as_bytes(std::span(files_.targets)));
    for (std::int64_t i = 0; i < size(); ++i) hash_file(i, sha);
    return hash_ = sha.hex();
  }

 private:
  fs::path path(std::int64_t index) const {
    check(index >= 0 && index < size(), "[images] item {} asked of {}", index, size());
    return files_.root / files_.files[static_cast<std::size_t>(index)];
  }

  void hash_file(std::int64_t index, Sha256& sha) const {
    const fs::path file = path(index);
    const Descriptor descriptor = open_for_reading(file);
    const off_t length = ::lseek(descriptor.get(), 0, SEEK_END);
    if (length < 0) fail_system(ErrorKind::data, file, "read", errno);
    sha.update(fmt::format("{} {} {}\n", files_.files[static_cast<std::size_t>(index)], label(index), length));
    hash_part(descriptor, file, 0, sha);
    const off_t last = std::max(std::min<off_t>(length, kHashedPart), length - static_cast<off_t>(kHashedPart));
    if (last < length) hash_part(descriptor, file, last, sha);
  }

  static void hash_part(const Descriptor& descriptor, const fs::path& file, off_t from, Sha256& sha) {
    std::array<std::byte, kHashedPart> part;
    const ssize_t count = ::pread(descriptor.get(), part.data(), part.size(), from);
    if (count < 0) fail_system(ErrorKind::data, file, "read", errno);
    sha.update(std::span(part).first(static_cast<std::size_t>(count)));
  }

  ImageFiles files_;
  ImageTransform transform_;
  ImageLimits limits_;
  mutable ImageScratchPool scratch_;
  mutable std::mutex hashing_;
  mutable std::string hash_;
};

}  // namespace

DatasetPtr open_image_files(ImageFiles files, const ImageTransform& transform, const ImageLimits& limits) {
  return std::make_shared<ImageFileDataset>(std::move(files), transform, limits);
}

}  // namespace graft
