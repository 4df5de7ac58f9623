#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace graft {

/// u8 images held in memory.
class MemoryDataset final : public Dataset {
 public:
  /// `pixels` hold labels.size() images of `item_shape` one after the other. Throws Error(data) if they do not, or if a
  /// label is not one of the classes.
  MemoryDataset(std::vector<std::uint8_t> pixels, const Shape& item_shape, std::vector<std::uint8_t> labels,
                std::vector<std::string> class_names);

  std::int64_t size() const override { return static_cast<std::int64_t>(labels_.size()); }
  Shape item_shape() const override { return item_shape_; }
  DType item_dtype() const override { return DType::u8; }
  std::int64_t label(std::int64_t index) const override { return labels_.at(static_cast<std::size_t>(index)); }
  void read(std::int64_t index, std::span<std::byte> out) const override;
  const std::vector<std::string>& class_names() const override { return class_names_; }
  std::string content_hash() const override;

 private:
  std::vector<std::uint8_t> pixels_;
  Shape item_shape_;
  std::vector<std::uint8_t> labels_;
  std::vector<std::string> class_names_;
  mutable std::once_flag hashed_;
  mutable std::string hash_;
};

}  // namespace graft
