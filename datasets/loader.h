#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/random_crop.h"
#include "engine/backend/backend.h"

namespace graft {

/// Random training augmentation; every number is Philox of (seed, epoch, item).
struct AugmentOptions {
  std::int64_t crop_padding = 0;  ///< zero padding on every side before a random crop to the original size; 0: no crop
  bool flip = false;              ///< mirror left to right
  double flip_probability = 0.5;  ///< with which `flip` does so
  /// A random part of the image resized to the item's size, before all else.
  std::optional<RandomResizedCrop> resized_crop{};
  bool any() const { return crop_padding > 0 || flip || resized_crop.has_value(); }
};

struct LoaderOptions {
  std::int64_t batch_size = 64;
  bool shuffle = false;
  bool drop_last = false;  ///< leave out the last partial batch of an epoch
  bool pad_last = false;   ///< fill the last partial batch up with zero items of label -1
  std::uint64_t seed = 0;  ///< with `role` keys order and augmentation: a function of (seed, role, epoch) and item
  std::string role{};      ///< DESIGN's (seed, half, epoch): "source" or "target"
  AugmentOptions augment{};
  bool targets = false;  ///< also Batch::targets, for binary cross-entropy
  int threads =
      0;  ///< workers that read ahead, decoding where items are files; 0: the caller's thread. Never changes a bit
  DType dtype = DType::f32;   ///< of the batch that u8 images are normalised into; other items keep theirs
  std::vector<float> mean{};  ///< needed for u8 items
  std::vector<float> deviation{};
  /// u8 images of at most so many bytes together are copied to the backend once, and batches are made there; larger
  /// sets, and those of which random parts are resized, are read batch by batch. Never changes a bit.
  std::size_t resident_bytes = std::size_t{256} << 20;
};

/// A batch on a backend.
struct Batch {
  Tensor items;            ///< [B, ...item_shape], normalised
  Tensor labels;           ///< i64 [B]; -1 for padding and in multi-label sets
  Tensor targets{};        ///< f32 [B, classes] as Dataset::read_targets has them, -1 for padding; where asked for
  std::int64_t count = 0;  ///< real items
};

/// Reads a data set in batches. Not thread-safe; one a run.
class Loader {
 public:
  Loader(const DatasetPtr& dataset, Backend& backend, const LoaderOptions& options);
  ~Loader();

  /// Batches of one epoch.
  std::int64_t batch_count() const;
  /// Starts epoch `epoch`: the order of items is the permutation keyed by (seed, role, epoch).
  void start_epoch(std::int64_t epoch);
  /// The next batch, or nothing at the end of the epoch. The batch's tensors are valid until the next call.
  std::optional<Batch> next();

  class Impl;

 private:
  std::unique_ptr<Impl> impl_;
  bool started_ = false;
};

/// The order of `count` items in an epoch: Fisher-Yates keyed by (seed, role, epoch).
std::vector<std::int64_t> epoch_order(std::int64_t count, std::uint64_t seed, const std::string& role,
                                      std::int64_t epoch);

}  // namespace graft
