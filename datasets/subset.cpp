#include <algorithm>
#include <cstddef>
#include <utility>

#include "datasets/dataset.h"
#include "datasets/permutation.h"
#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/io/sha256.h"

namespace graft {
namespace {

void check_classes(const Dataset& parent, const std::vector<std::int64_t>& classes) {
  if (parent.multi_label()) fail(ErrorKind::data, "[subset] the classes of a multi-label set do not divide its items");
  const auto count = static_cast<std::int64_t>(parent.class_names().size());
  std::vector<bool> seen(parent.class_names().size());
  for (const std::int64_t c : classes) {
    if (c < 0 || c >= count) fail(ErrorKind::data, "[subset] class {} asked of {}", c, count);
    const auto slot = static_cast<std::size_t>(c);
    if (seen[slot]) fail(ErrorKind::data, "[subset] class '{}' is named twice", parent.class_names()[slot]);
    seen[slot] = true;
  }
}

class Subset final : public Dataset {
 public:
  Subset(DatasetPtr parent, std::vector<std::int64_t> items, std::vector<std::int64_t> classes)
      : parent_(std::move(parent)), items_(std::move(items)), classes_(std::move(classes)) {
    check_classes(*parent_, classes_);
    for (const std::int64_t c : classes_) class_names_.push_back(parent_->class_names()[static_cast<std::size_t>(c)]);
    labels_.reserve(items_.size());
    for (const std::int64_t item : items_) labels_.push_back(new_label(item));
  }

  std::int64_t size() const override { return static_cast<std::int64_t>(items_.size()); }
  Shape item_shape() const override { return parent_->item_shape(); }
  DType item_dtype() const override { return parent_->item_dtype(); }
  std::int64_t label(std::int64_t index) const override { return labels_.at(static_cast<std::size_t>(index)); }
  void read(std::int64_t index, std::span<std::byte> out) const override {
    check(index >= 0 && index < size(), "[subset] item {} asked of {}", index, size());
    parent_->read(items_[static_cast<std::size_t>(index)], out);
  }
  void read_crop(std::int64_t index, const CropDraw& draw, std::span<std::byte> out) const override {
    check(index >= 0 && index < size(), "[subset] item {} asked of {}", index, size());
    parent_->read_crop(items_[static_cast<std::size_t>(index)], draw, out);
  }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  std::string content_hash() const override {
    Sha256 sha;
    sha.update("subset " + parent_->content_hash() + fmt::format(" {} {}\n", items_.size(), classes_.size()));
    return sha.update(std::as_bytes(std::span(items_))).update(std::as_bytes(std::span(classes_))).hex();
  }

 private:
  std::int64_t new_label(std::int64_t item) const {
    check(item >= 0 && item < parent_->size(), "[subset] item {} asked of {}", item, parent_->size());
    const auto found = std::find(classes_.begin(), classes_.end(), parent_->label(item));
    check(found != classes_.end(), "[subset] item {} is of class {}, which is not one of the subset's", item,
          parent_->label(item));
    return found - classes_.begin();
  }

  DatasetPtr parent_;
  std::vector<std::int64_t> items_;
  std::vector<std::int64_t> classes_;
  std::vector<std::string> class_names_;
  std::vector<std::int64_t> labels_;
};

}  // namespace

DatasetPtr make_subset(DatasetPtr parent, std::vector<std::int64_t> items, std::vector<std::int64_t> classes) {
  return std::make_shared<Subset>(std::move(parent), std::move(items), std::move(classes));
}

std::vector<std::int64_t> choose_items(const Dataset& parent, const std::vector<std::int64_t>& classes,
                                       std::int64_t per_class, std::uint64_t seed) {
  check_classes(parent, classes);
  std::vector<std::vector<std::int64_t>> members(parent.class_names().size());
  for (std::int64_t i = 0; i < parent.size(); ++i) members[static_cast<std::size_t>(parent.label(i))].push_back(i);
  std::vector<std::int64_t> chosen;
  for (const std::int64_t c : classes) {
    const std::vector<std::int64_t>& all = members[static_cast<std::size_t>(c)];
    const std::string& name = parent.class_names()[static_cast<std::size_t>(c)];
    const auto count = static_cast<std::int64_t>(all.size());
    if (count < std::max<std::int64_t>(per_class, 1)) {
      fail(ErrorKind::data, "[subset] class '{}' has {} items, {} are asked for; ask for fewer", name, count,
           per_class);
    }
    const auto order = permutation(count, RandomStream{seed, stream_of("subset:" + name)}, 0);
    const std::int64_t wanted = per_class == 0 ? count : per_class;
    for (std::int64_t k = 0; k < wanted; ++k) {
      chosen.push_back(all[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])]);
    }
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace graft
