#include "transfer/expected_data.h"

#include <memory>
#include <set>
#include <utility>

#include "engine/base/error.h"

namespace graft {
namespace {

class ExpectedDataset final : public Dataset {
 public:
  ExpectedDataset(std::string name, std::vector<std::string> classes, std::int64_t size, const Shape& shape)
      : name_(std::move(name)), classes_(std::move(classes)), size_(size), shape_(shape) {}

  std::int64_t size() const override { return size_; }
  Shape item_shape() const override { return shape_; }
  DType item_dtype() const override { return DType::u8; }
  std::int64_t label(std::int64_t index) const override { return index % static_cast<std::int64_t>(classes_.size()); }
  void read(std::int64_t /*index*/, std::span<std::byte> /*out*/) const override {
    fail(ErrorKind::data, "the images of {} are not here", name_);
  }
  const std::vector<std::string>& class_names() const override { return classes_; }
  std::string content_hash() const override { return "expected"; }

 private:
  std::string name_;
  std::vector<std::string> classes_;
  std::int64_t size_;
  Shape shape_;
};

std::vector<std::string> named_classes(const Study& study) {
  std::set<std::string> names;
  const auto add = [&](const std::vector<std::string>& half) { names.insert(half.begin(), half.end()); };
  add(study.source_classes);
  add(study.target_classes);
  for (const NamedSplit& split : study.named_splits) {
    add(split.source);
    add(split.target);
  }
  for (const ClassGroup& group : study.groups) add(group.classes);
  return {names.begin(), names.end()};
}

}  // namespace

StudyData expected_data(const Study& study) {
  const std::vector<std::string> classes = named_classes(study);
  if (!study.expects || classes.empty() || !study.source_dataset.empty()) {
    fail(ErrorKind::data, "a plan without data needs `expects`, splits that name their classes, and one data set");
  }
  const ImageTransform images = image_transform(study.model, study.images.value_or(ImagePreparation{}));
  const auto part = [&](std::int64_t size) {
    return std::make_shared<ExpectedDataset>(study.dataset, classes, size, images.item_shape());
  };
  return DatasetPair{.train = part(study.expects->train),
                     .test = part(study.expects->test),
                     .mean = images.mean,
                     .deviation = images.deviation};
}

}  // namespace graft
