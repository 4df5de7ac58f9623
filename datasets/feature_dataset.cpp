#include "datasets/feature_dataset.h"

#include <cstring>
#include <mutex>
#include <utility>

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/io/safetensors_file.h"
#include "engine/io/sha256.h"

namespace graft {
namespace {

constexpr const char* kTensorName = "features";

std::vector<std::int64_t> rows_of(std::int64_t count, const Shape& item) {
  std::vector<std::int64_t> dims = {count};
  dims.insert(dims.end(), item.dims().begin(), item.dims().end());
  return dims;
}

class FeatureDataset final : public Dataset {
 public:
  FeatureDataset(const std::filesystem::path& path, DatasetPtr labels) : file_(path), labels_(std::move(labels)) {
    const SafetensorsEntry* entry = file_.find(kTensorName);
    const bool fits = entry != nullptr && (entry->known == DType::f32 || entry->known == DType::bf16) &&
                      !entry->shape.empty() && entry->shape.size() <= Shape::kMaxRank;
    if (!fits) fail(ErrorKind::data, "{}: holds no features; delete it and run again", path.string());
    if (entry->shape[0] != labels_->size()) {
      fail(ErrorKind::data, "{}: holds features of {} items, the data set has {}; delete it and run again",
           path.string(), entry->shape[0], labels_->size());
    }
    item_shape_ = Shape(std::span(entry->shape).subspan(1));
    dtype_ = *entry->known;
    rows_ = file_.bytes(*entry);
  }

  std::int64_t size() const override { return labels_->size(); }
  Shape item_shape() const override { return item_shape_; }
  DType item_dtype() const override { return dtype_; }
  std::int64_t label(std::int64_t index) const override { return labels_->label(index); }
  void read(std::int64_t index, std::span<std::byte> out) const override {
    check(index >= 0 && index < size(), "[features] item {} asked of {}", index, size());
    check(out.size() == item_bytes(), "[features] items have {} bytes, room for {} was given", item_bytes(),
          out.size());
    if (!out.empty()) std::memcpy(out.data(), rows_.data() + static_cast<std::size_t>(index) * out.size(), out.size());
  }
  const std::vector<std::string>& class_names() const override { return labels_->class_names(); }
  std::string content_hash() const override {
    std::call_once(hashed_, [this] {
      Sha256 sha;
      sha.update(fmt::format("features {} {} {}\n", labels_->content_hash(), name_of(dtype_), item_shape_.str()));
      hash_ = sha.update(rows_).hex();
    });
    return hash_;
  }

 private:
  SafetensorsFile file_;
  DatasetPtr labels_;
  Shape item_shape_;
  DType dtype_ = DType::f32;
  std::span<const std::byte> rows_;
  mutable std::once_flag hashed_;
  mutable std::string hash_;
};

}  // namespace

FeatureWriter::FeatureWriter(const std::filesystem::path& path, const Shape& item_shape, DType dtype,
                             std::int64_t count)
    : item_shape_(item_shape), dtype_(dtype), count_(count), file_(path) {
  check(dtype == DType::f32 || dtype == DType::bf16, "[features] are f32 or bf16, not {}", name_of(dtype));
  const std::string header =
      safetensors_header({{.name = kTensorName, .dtype = dtype, .shape = rows_of(count, item_shape)}}, {});
  file_.write(std::as_bytes(std::span(header)));
}

void FeatureWriter::append(const Tensor& batch, std::int64_t rows) {
  const Tensor part = batch.slice(0, rows);
  check(part.shape() == Shape(rows_of(rows, item_shape_)) && part.dtype() == dtype_,
        "[features] rows are {} {}, a batch is {}", name_of(dtype_), item_shape_.str(), batch.str());
  check(written_ + rows <= count_, "[features] {} rows announced, {} given", count_, written_ + rows);
  host_.resize(part.nbytes());
  if (!host_.empty()) part.backend().copy_to_host(part, host_.data());
  file_.write(host_);
  written_ += rows;
}

void FeatureWriter::commit() {
  check(written_ == count_, "[features] {} rows announced, {} given", count_, written_);
  // Waiting for the disk would cost more than short runs gain, and a cache is made anew after a crash.
  file_.commit(/*flush=*/false);
}

DatasetPtr open_features(const std::filesystem::path& path, DatasetPtr labels) {
  return std::make_shared<FeatureDataset>(path, std::move(labels));
}

}  // namespace graft
