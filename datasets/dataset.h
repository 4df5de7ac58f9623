#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datasets/image_decode.h"
#include "datasets/image_transform.h"
#include "datasets/label_file.h"
#include "datasets/random_crop.h"
#include "engine/base/dtype.h"
#include "engine/base/shape.h"
#include "engine/io/checkpoint.h"

namespace graft {

/// Labelled items of one shape and dtype: images as u8 [H, W, C], or features as f32 / bf16. Immutable once made, so
/// many threads and runs may read one.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual std::int64_t size() const = 0;
  virtual Shape item_shape() const = 0;
  virtual DType item_dtype() const = 0;
  /// Class of item `index`, in [0, class_names().size()); -1 in a multi-label set.
  virtual std::int64_t label(std::int64_t index) const = 0;
  /// True iff the classes do not exclude each other: an item may have several, or none.
  virtual bool multi_label() const { return false; }
  /// Writes a number for each class to `out`: 1 where item `index` has it, 0 where it has not, -1 where nobody knows.
  virtual void read_targets(std::int64_t index, std::span<float> out) const;
  /// Writes item `index` to `out`, which has exactly its bytes. Thread-safe. Throws Error(data) if it cannot be read.
  virtual void read(std::int64_t index, std::span<std::byte> out) const = 0;
  /// Writes a random crop of item `index`, drawn from the image as it was before any evaluation transform and resized
  /// to item_shape(). Thread-safe. Throws as read does, and Error(failure) for items that are no u8 images [H, W, C].
  virtual void read_crop(std::int64_t index, const CropDraw& draw, std::span<std::byte> out) const;
  virtual const std::vector<std::string>& class_names() const = 0;
  /// Path of item `index` below the folder of its part, "cat/1.jpg"; "" where items are no files of their own.
  virtual std::string file_name(std::int64_t /*index*/) const { return ""; }
  /// SHA-256 of everything that a result depends on, hex.
  virtual std::string content_hash() const = 0;

  std::size_t item_bytes() const { return static_cast<std::size_t>(item_shape().numel()) * size_of(item_dtype()); }
};

using DatasetPtr = std::shared_ptr<const Dataset>;

/// Some items of another data set, with labels mapped to 0..k-1 in the order of `classes` (indices of the parent's).
/// Items keep the order given. Throws Error(data) for a multi-label parent, and so does choose_items.
DatasetPtr make_subset(DatasetPtr parent, std::vector<std::int64_t> items, std::vector<std::int64_t> classes);

/// The items of `parent` whose class is in `classes`: for each class the first `per_class` (0: all) of one permutation
/// of its items that is keyed by (seed, "subset", class name), so that smaller subsets nest; then sorted by item index.
/// Throws Error(data) naming a class with too few items.
std::vector<std::int64_t> choose_items(const Dataset& parent, const std::vector<std::int64_t>& classes,
                                       std::int64_t per_class, std::uint64_t seed);

/// A data set's two parts, with how images are normalised.
struct DatasetPair {
  DatasetPtr train;
  DatasetPtr test;
  std::vector<float> mean;       ///< a channel, of values in [0, 1]
  std::vector<float> deviation;  ///< a channel
};

/// How images come in: for data sets of files of any size, and, where a transform is given, for every one.
struct ImageOptions {
  std::optional<ImageTransform> transform{};  ///< none: image files by ImageTransform's defaults, others as they are
  ImageLimits limits{};
  std::uint64_t max_bytes = CheckpointOptions{}.max_bytes;  ///< what a compressed array of an .npz may declare
  /// Files that give images several labels each (datasets/label_file.h), in place of class folders; imagefolder's
  /// alone.
  LabelFiles labels{};
};

/// `parent`, whose items are u8 [H, W, 1 or 3], through a transform: items u8 [size, size, 3].
DatasetPtr make_transformed(DatasetPtr parent, const ImageTransform& transform);

/// An entry of the registry of data sets.
struct DatasetEntry {
  std::string name;         ///< "fashion-mnist"
  std::string description;  ///< one line, with where it comes from and its licence
  std::string license;      ///< as its publisher states it, "none stated" where they state none; "" of a user's own
  std::string remedy;       ///< "apt-get install dataset-fashion-mnist, or name its folder with --data-dir"
};

const std::vector<DatasetEntry>& dataset_entries();
/// Opens `name`, in `data_dir` or, where that is empty, where its package puts it. Throws Error(usage) for an unknown
/// name, Error(data) naming the file and the remedy when it is missing or damaged.
DatasetPair open_dataset(const std::string& name, const std::string& data_dir, const ImageOptions& images = {});

}  // namespace graft
