#include "transfer/feature_cache.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/io/descriptor.h"
#include "engine/io/file.h"
#include "transfer/folder_error.h"
#include "transfer/trainer.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

/// Items in one mapped file, labels of another data set.
class CachedFeatures : public Dataset {
 public:
  CachedFeatures(DatasetPtr images, const fs::path& file, std::size_t offset, const Shape& shape, DType dtype)
      : images_(std::move(images)), file_(file), offset_(offset), shape_(shape), dtype_(dtype) {}

  std::int64_t size() const override { return images_->size(); }
  Shape item_shape() const override { return shape_; }
  DType item_dtype() const override { return dtype_; }
  std::int64_t label(std::int64_t index) const override { return images_->label(index); }
  void read(std::int64_t index, std::span<std::byte> out) const override {
    const std::size_t begin = offset_ + static_cast<std::size_t>(index) * out.size();
    std::memcpy(out.data(), file_.bytes().subspan(begin, out.size()).data(), out.size());
  }
  const std::vector<std::string>& class_names() const override { return images_->class_names(); }
  std::string content_hash() const override { return images_->content_hash(); }

 private:
  DatasetPtr images_;
  MappedFile file_;
  std::size_t offset_;
  Shape shape_;
  DType dtype_;
};

/// The head of a safetensors file with the one tensor "features": eight bytes of length, then JSON padded to a multiple
/// of 64, so that rows are aligned in the mapping.
std::string safetensors_head(std::int64_t count, const Shape& shape, DType dtype, std::int64_t bytes) {
  std::string dims = fmt::format("{}", count);
  for (const std::int64_t dim : shape.dims()) dims += fmt::format(",{}", dim);
  std::string json = fmt::format(R"({{"features":{{"dtype":"{}","shape":[{}],"data_offsets":[0,{}]}}}})",
                                 dtype == DType::bf16 ? "BF16" : "F32", dims, bytes);
  while ((json.size() + 8) % 64 != 0) json += ' ';
  std::array<char, 8> length{};
  const auto value = static_cast<std::uint64_t>(json.size());
  for (std::size_t i = 0; i < length.size(); ++i) length[i] = static_cast<char>((value >> (8 * i)) & 0xff);
  return std::string(length.data(), length.size()) + json;
}

Descriptor create_file(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) fail_system(ErrorKind::failure, path.parent_path(), "create the folder", error.value());
  Descriptor file(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666));
  if (!file.is_open()) fail_system(ErrorKind::failure, path, "create", errno);
  return file;
}

[[noreturn]] void fail_write(const fs::path& path) {
  const int reason = errno;
  throw FolderError(fmt::format("{}: cannot write features: {}; make room or use --no-feature-cache", path.string(),
                                system_reason(reason)));
}

}  // namespace

FeatureCache::FeatureCache(fs::path folder, std::int64_t budget_mib)
    : folder_(std::move(folder)), budget_(budget_mib << 20) {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

FeatureCache::~FeatureCache() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

bool FeatureCache::reserve(std::int64_t bytes) {
  const std::scoped_lock lock(mutex_);
  if (bytes > budget_ - in_use_) return false;
  in_use_ += bytes;
  return true;
}

void FeatureCache::release(std::int64_t bytes, const fs::path& file) noexcept {
  std::error_code ignored;
  fs::remove(file, ignored);
  const std::scoped_lock lock(mutex_);
  in_use_ -= bytes;
}

std::int64_t FeatureCache::bytes_in_use() const {
  const std::scoped_lock lock(mutex_);
  return in_use_;
}

DatasetPtr FeatureCache::store(const std::string& run_id, const DatasetPtr& images, const Shape& shape, DType dtype,
                               const std::function<void(const Append&)>& produce) {
  const std::int64_t bytes = images->size() * shape.numel() * static_cast<std::int64_t>(size_of(dtype));
  if (!reserve(bytes)) return nullptr;
  const fs::path path = folder_ / (run_id + ".safetensors");
  // Owns the reservation and the file from here on, also when producing fails.
  std::shared_ptr<void> lease(nullptr, [this, bytes, path](void*) { release(bytes, path); });

  Descriptor file = writing_to_folder([&] { return create_file(path); });
  std::int64_t written = 0;
  const auto append = [&](std::span<const std::byte> rows) {
    if (!write_all(file.get(), rows)) fail_write(path);
    written += static_cast<std::int64_t>(rows.size());
  };
  const std::string head = safetensors_head(images->size(), shape, dtype, bytes);
  append(std::as_bytes(std::span(head)));
  produce(append);
  if (!file.close()) fail_write(path);
  const std::int64_t whole = bytes + static_cast<std::int64_t>(head.size());
  check(written == whole, "[feature cache] {} of {} bytes were produced for {}", written, whole, path.string());

  auto features = std::make_shared<CachedFeatures>(images, path, head.size(), shape, dtype);
  return {features.get(), [features, lease](const Dataset*) mutable {
            features.reset();
            lease.reset();
          }};
}

bool can_cache_features(const Backbone& network, int cut, BatchNormPolicy policy, const AugmentOptions& augment) {
  return cut > 0 && policy == BatchNormPolicy::eval && !augment.any() && network.deterministic_until(cut);
}

DatasetPtr cache_features(FeatureCache& cache, const std::string& run_id, Backbone& network, Backend& backend, int cut,
                          const DatasetPtr& images, LoaderOptions options, const std::function<void()>& between) {
  options.shuffle = false;
  options.drop_last = false;
  options.pad_last = true;
  options.augment = {};
  Loader loader(images, backend, options);
  loader.start_epoch(0);
  const auto next_features = [&]() -> std::pair<Tensor, std::int64_t> {
    if (between) between();
    const std::optional<Batch> batch = loader.next();
    if (!batch) return {};
    return {run_prefix(network, batch->items, 0, cut, ForwardContext{}), batch->count};
  };
  auto [features, count] = next_features();
  if (!features.defined()) return nullptr;
  const Shape item(features.shape().dims().subspan(1));
  return cache.store(run_id, images, item, features.dtype(), [&](const FeatureCache::Append& append) {
    std::vector<std::byte> host;
    while (features.defined()) {
      const Tensor rows = features.slice(0, count);
      host.resize(rows.nbytes());
      backend.copy_to_host(rows, host.data());
      append(host);
      std::tie(features, count) = next_features();
    }
  });
}

}  // namespace graft
