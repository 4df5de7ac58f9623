#include "datasets/memory_dataset.h"

#include <cstring>
#include <utility>

#include "engine/base/error.h"
#include "engine/io/sha256.h"

namespace graft {

MemoryDataset::MemoryDataset(std::vector<std::uint8_t> pixels, const Shape& item_shape,
                             std::vector<std::uint8_t> labels, std::vector<std::string> class_names)
    : pixels_(std::move(pixels)),
      item_shape_(item_shape),
      labels_(std::move(labels)),
      class_names_(std::move(class_names)) {
  const std::size_t wanted = labels_.size() * static_cast<std::size_t>(item_shape.numel());
  if (pixels_.size() != wanted) {
    fail(ErrorKind::data, "[dataset] {} labels of items {} ask for {} bytes, there are {}", labels_.size(),
         item_shape.str(), wanted, pixels_.size());
  }
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    if (labels_[i] >= class_names_.size()) {
      fail(ErrorKind::data, "[dataset] item {} has label {}, there are {} classes", i, labels_[i], class_names_.size());
    }
  }
}

void MemoryDataset::read(std::int64_t index, std::span<std::byte> out) const {
  check(index >= 0 && index < size(), "[dataset] item {} asked of {}", index, size());
  check(out.size() == item_bytes(), "[dataset] items have {} bytes, room for {} was given", item_bytes(), out.size());
  std::memcpy(out.data(), pixels_.data() + static_cast<std::size_t>(index) * out.size(), out.size());
}

std::string MemoryDataset::content_hash() const {
  std::call_once(hashed_, [this] {
    Sha256 sha;
    sha.update(fmt::format("images {} {}\n", size(), item_shape_.str()));
    for (const std::string& name : class_names_) sha.update(name + "\n");
    sha.update(std::as_bytes(std::span(labels_))).update(std::as_bytes(std::span(pixels_)));
    hash_ = sha.hex();
  });
  return hash_;
}

}  // namespace graft
