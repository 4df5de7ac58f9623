#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <span>
#include <string>

#include "datasets/loader.h"
#include "models/backbone.h"

namespace graft {

/// What a frozen prefix gives for the training images of one run, in immutable files under a budget in bytes.
///
/// A prefix belongs to one run: no two runs of a plan freeze the same layers before the same images, so a file is named
/// after the run's id, which is a hash of all that its bits depend on. It goes when the run ends, and leftovers of a
/// killed process go on opening: computing them again costs a small part of one epoch. Test images pass a prefix once
/// in a run and are not kept.
///
/// Files are not flushed to the disk: nothing reads them after a crash, and those of short runs never get there.
class FeatureCache {
 public:
  /// Removes what an earlier process left in `folder`, which appears with its first file.
  FeatureCache(std::filesystem::path folder, std::int64_t budget_mib);
  ~FeatureCache();
  FeatureCache(const FeatureCache&) = delete;
  FeatureCache& operator=(const FeatureCache&) = delete;

  /// Hands its argument on to the file: the rows of the next items.
  using Append = std::function<void(std::span<const std::byte> rows)>;

  /// A data set of `images`' labels whose items are what `produce` appends, each of `shape` and `dtype`; its file goes
  /// with its last owner. Nothing if it would exceed the budget. Thread-safe. Throws Error(failure) naming the file.
  DatasetPtr store(const std::string& run_id, const DatasetPtr& images, const Shape& shape, DType dtype,
                   const std::function<void(const Append&)>& produce);

  std::int64_t bytes_in_use() const;

 private:
  bool reserve(std::int64_t bytes);
  void release(std::int64_t bytes, const std::filesystem::path& file) noexcept;

  std::filesystem::path folder_;
  std::int64_t budget_;
  mutable std::mutex mutex_;
  std::int64_t in_use_ = 0;
};

/// True iff the first `cut` stages, frozen under `policy`, are a function of the single image in training: no
/// batch statistics, no dropout, no random augmentation before them.
bool can_cache_features(const Backbone& network, int cut, BatchNormPolicy policy, const AugmentOptions& augment);

/// Runs the first `cut` stages over all of `images` in order, in batches of options.batch_size, the last one padded,
/// and keeps the result in `cache`; nothing if it would exceed the budget. `between` is called before every batch and
/// may throw.
DatasetPtr cache_features(FeatureCache& cache, const std::string& run_id, Backbone& network, Backend& backend, int cut,
                          const DatasetPtr& images, LoaderOptions options, const std::function<void()>& between = {});

}  // namespace graft
