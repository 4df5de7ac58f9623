#include "transfer/feature_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

#include "datasets/feature_dataset.h"
#include "engine/io/safetensors.h"
#include "engine/io/sha256.h"
#include "transfer/folder_error.h"
#include "transfer/trainer.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

/// The features of a data set, batch by batch.
class PrefixBatches {
 public:
  PrefixBatches(Backbone& network, int cut, Loader& loader, const std::function<void()>& between)
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
  kept_.clear();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

bool FeatureCache::take_room(std::int64_t bytes) {
  while (true) {
    DatasetPtr dropped;  // goes without the lock, which its lease takes
    const std::scoped_lock lock(mutex_);
    if (bytes > budget_) return false;
    if (bytes <= budget_ - in_use_) {
      in_use_ += bytes;
      return true;
    }
    dropped = drop_one();
    if (dropped == nullptr) return false;
  }
}

DatasetPtr FeatureCache::drop_one() {
  const auto idle =
      std::find_if(kept_.begin(), kept_.end(), [](const Kept& kept) { return kept.features.use_count() == 1; });
  if (idle == kept_.end()) return nullptr;
  DatasetPtr features = std::move(idle->features);
  kept_.erase(idle);
  return features;
}

DatasetPtr FeatureCache::get(const std::string& key, const std::function<DatasetPtr()>& make,
                             const std::function<void()>& between) {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.key == key; });
    if (found != kept_.end()) return found->features;
    if (making_.insert(key).second) break;
    made_.wait_for(lock, std::chrono::milliseconds(100));
    lock.unlock();
    if (between) between();
    lock.lock();
  }
  lock.unlock();
  DatasetPtr features;
  const auto finish = [&] {
    lock.lock();
    making_.erase(key);
    if (features != nullptr) kept_.push_back({key, features});
    lock.unlock();
    made_.notify_all();
  };
  try {
    features = make();
  } catch (...) {
    finish();
    throw;
  }
  finish();
  return features;
}

std::shared_ptr<const FeatureCache::Lease> FeatureCache::reserve(const std::string& key, std::int64_t bytes) {
  if (!take_room(bytes)) return nullptr;
  std::shared_ptr<const Lease> lease(new Lease{folder_ / (key + ".safetensors")}, [this, bytes](const Lease* owned) {
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

std::string FrozenPrefix::hash() const {
  std::vector<NamedVariable> state = network.stage_parameters(0, cut);
  for (NamedVariable& buffer : network.stage_buffers(0, cut)) state.push_back(std::move(buffer));
  std::vector<std::string> stages;
  stages.reserve(static_cast<std::size_t>(cut));
  for (int i = 0; i < cut; ++i) stages.push_back(network.stages()[static_cast<std::size_t>(i)].name);
  return sha256_hex(fmt::format("prefix {} {} {} {} {} {} {}", fmt::join(stages, " "), hash_state(state),
                                images->content_hash(), loader.batch_size, name_of(loader.dtype),
                                fmt::join(loader.mean, " "), fmt::join(loader.deviation, " ")));
}

DatasetPtr cache_features(FeatureCache& cache, const std::string& key, const FrozenPrefix& prefix, Backend& backend,
                          const std::function<void()>& between) {
  LoaderOptions options = prefix.loader;
  options.shuffle = false;
  options.drop_last = false;
  options.pad_last = true;
  options.augment = {};
  const DatasetPtr& images = prefix.images;
  Loader loader(images, backend, options);
  PrefixBatches batches(prefix.network, prefix.cut, loader, between);
  Tensor features;
  std::int64_t count = 0;
  std::tie(features, count) = batches.next();
  if (!features.defined()) return nullptr;

  const Shape item(features.shape().dims().subspan(1));
  const auto item_bytes = item.numel() * static_cast<std::int64_t>(size_of(features.dtype()));
  const auto lease = cache.reserve(key, images->size() * item_bytes);
  if (!lease) return nullptr;
  auto writer = writing_to_folder(
      [&] { return std::make_unique<FeatureWriter>(lease->path, item, features.dtype(), images->size()); });
  while (features.defined()) {
    writing_to_folder([&] { writer->append(features, count); });
    std::tie(features, count) = batches.next();
  }
  writing_to_folder([&] { writer->commit(); });
  const DatasetPtr opened = open_features(lease->path, images);
  // The data set holds the file's mapping, the pointer to it the lease: both go with the last owner.
  return {opened.get(), [opened, lease](const Dataset*) {}};
}

}  // namespace graft
