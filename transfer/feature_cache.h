#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "datasets/loader.h"
#include "models/backbone.h"

namespace graft {

/// Where the features behind frozen prefixes are kept: immutable files under a budget. Thread-safe.
///
/// A prefix belongs to one run: no two runs of a plan freeze the same layers before the same images, so a file is named
/// after the run's id, which is a hash of all that its bits depend on. It goes when the run ends, and leftovers of a
/// killed process go on opening: computing them again costs a small part of one epoch. Test images pass a prefix once
/// in a run and are not kept.
class FeatureCache {
 public:
  /// Removes what an earlier process left in `folder`, which appears with its first file.
  FeatureCache(std::filesystem::path folder, std::int64_t budget_mib);
  ~FeatureCache();
  FeatureCache(const FeatureCache&) = delete;
  FeatureCache& operator=(const FeatureCache&) = delete;

  /// A place of `bytes` bytes in the budget and a file in it; both are given back with the last owner.
  struct Lease {
    std::filesystem::path path;
  };
  /// Nothing if the budget has no such room left. Throws FolderError if the folder cannot be made.
  std::shared_ptr<const Lease> reserve(const std::string& run_id, std::int64_t bytes);

  std::int64_t bytes_in_use() const;

 private:
  void release(const Lease& lease, std::int64_t bytes) noexcept;

  std::filesystem::path folder_;
  std::int64_t budget_;
  mutable std::mutex mutex_;
  std::int64_t in_use_ = 0;
};

/// True iff the first `cut` stages, frozen under `policy`, are a function of the single image in training: no
/// batch statistics, no dropout, no random augmentation before them.
bool can_cache_features(const Backbone& network, int cut, BatchNormPolicy policy, const AugmentOptions& augment);

/// Runs the first `cut` stages over all of `images` in order, in batches of options.batch_size, the last one padded,
/// and keeps the result in `cache` until its last owner goes; nothing if it would exceed the budget. `between` is
/// called before every batch and may throw. Throws FolderError if the features cannot be written.
DatasetPtr cache_features(FeatureCache& cache, const std::string& run_id, Backbone& network, Backend& backend, int cut,
                          const DatasetPtr& images, LoaderOptions options, const std::function<void()>& between = {});

}  // namespace graft
