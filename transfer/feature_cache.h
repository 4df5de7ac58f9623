#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "datasets/loader.h"
#include "models/backbone.h"

namespace graft {

/// Where the features behind frozen prefixes are kept: immutable files under a budget. Thread-safe.
///
/// A file is named after a key, a hash of all that its bits depend on. Most prefixes belong to one run, since its base
/// network has its seed, and go when the run ends. Stages of published weights are the same for all seeds: those files
/// are kept for the runs to come (get), until the budget has no room for another or the process ends. Leftovers of a
/// killed process go on opening: computing them again costs a small part of one epoch.
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
  /// Nothing if the budget has no such room left, even without what is kept and not in use. Throws FolderError if the
  /// folder cannot be made.
  std::shared_ptr<const Lease> reserve(const std::string& key, std::int64_t bytes);

  /// The features kept under `key`, or what `make` gives, which is kept unless it is nothing. One thread makes, others
  /// that ask meanwhile wait for it, calling `between` (may throw) now and then; where it fails, the next one tries.
  DatasetPtr get(const std::string& key, const std::function<DatasetPtr()>& make,
                 const std::function<void()>& between = {});

  std::int64_t bytes_in_use() const;

 private:
  struct Kept {
    std::string key;
    DatasetPtr features;
  };

  void release(const Lease& lease, std::int64_t bytes) noexcept;
  bool take_room(std::int64_t bytes);
  /// What is kept and nobody uses, the one longest kept; nothing if all are in use. The lock is held.
  DatasetPtr drop_one();

  std::filesystem::path folder_;
  std::int64_t budget_;
  mutable std::mutex mutex_;
  std::int64_t in_use_ = 0;
  std::list<Kept> kept_;          ///< the one longest kept first
  std::set<std::string> making_;  ///< keys
  std::condition_variable made_;
};

/// Stages [0, cut) of `network`, frozen, before all of `images` in order, in batches as the loader's options say.
struct FrozenPrefix {
  Backbone& network;
  int cut = 0;
  DatasetPtr images;
  LoaderOptions loader{};  ///< of the run's training; its order and augmentation are left out

  /// Hex, of all that the features depend on beside the device: weights, images, how these are normalised and batched.
  std::string hash() const;
};

/// True iff the first `cut` stages, frozen under `policy`, are a function of the single image in training: no
/// batch statistics, no dropout, no random augmentation before them.
bool can_cache_features(const Backbone& network, int cut, BatchNormPolicy policy, const AugmentOptions& augment);

/// Runs the prefix in batches of one size, the last one padded, and keeps the result in `cache` under `key` until its
/// last owner goes; nothing if it would exceed the budget. `between` is called before every batch and may throw. Throws
/// FolderError if the features cannot be written.
DatasetPtr cache_features(FeatureCache& cache, const std::string& key, const FrozenPrefix& prefix, Backend& backend,
                          const std::function<void()>& between = {});

}  // namespace graft
