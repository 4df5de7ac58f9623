#include "transfer/feature_cache.h"

#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

#include "datasets/feature_dataset.h"
#include "engine/io/descriptor.h"
#include "transfer/folder_error.h"
#include "transfer/trainer.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

/// The features of a data set, batch by batch.
class Prefix {
 public:
  Prefix(Backbone& network, int cut, Loader& loader, const std::function<void()>& between)
      : network_(network), cut_(cut), loader_(loader), between_(between) {
    loader_.start_epoch(0);
  }
  /// The next batch's features and how many of its rows are real; an undefined tensor at the end.
  std::pair<Tensor, std::int64_t> next() {
    if (between_) between_();
    const std::optional<Batch> batch = loader_.next();
    if (!batch) return {};
    return {run_prefix(network_, batch->items, 0, cut_, ForwardContext{}), batch->count};
  }

 private:
  Backbone& network_;
  int cut_;
  Loader& loader_;
  const std::function<void()>& between_;
};

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

std::shared_ptr<const FeatureCache::Lease> FeatureCache::reserve(const std::string& run_id, std::int64_t bytes) {
  {
    const std::scoped_lock lock(mutex_);
    if (bytes > budget_ - in_use_) return nullptr;
    in_use_ += bytes;
  }
  std::shared_ptr<const Lease> lease(new Lease{folder_ / (run_id + ".safetensors")}, [this, bytes](const Lease* owned) {
    release(*owned, bytes);
    delete owned;
  });
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) {
    writing_to_folder([&] { fail_system(ErrorKind::failure, folder_, "create the folder", error.value()); });
  }
  return lease;
}

void FeatureCache::release(const Lease& lease, std::int64_t bytes) noexcept {
  std::error_code ignored;
  fs::remove(lease.path, ignored);
  const std::scoped_lock lock(mutex_);
  in_use_ -= bytes;
}

std::int64_t FeatureCache::bytes_in_use() const {
  const std::scoped_lock lock(mutex_);
  return in_use_;
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
  Prefix prefix(network, cut, loader, between);
  Tensor features;
  std::int64_t count = 0;
  std::tie(features, count) = prefix.next();
  if (!features.defined()) return nullptr;

  const Shape item(features.shape().dims().subspan(1));
  const auto item_bytes = item.numel() * static_cast<std::int64_t>(size_of(features.dtype()));
  const auto lease = cache.reserve(run_id, images->size() * item_bytes);
  if (!lease) return nullptr;
  auto writer = writing_to_folder(
      [&] { return std::make_unique<FeatureWriter>(lease->path, item, features.dtype(), images->size()); });
  while (features.defined()) {
    writing_to_folder([&] { writer->append(features, count); });
    std::tie(features, count) = prefix.next();
  }
  writing_to_folder([&] { writer->commit(); });
  const DatasetPtr opened = open_features(lease->path, images);
  // The data set holds the file's mapping, the pointer to it the lease: both go with the last owner.
  return {opened.get(), [opened, lease](const Dataset*) {}};
}

}  // namespace graft
