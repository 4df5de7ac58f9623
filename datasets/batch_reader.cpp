#include "datasets/batch_reader.h"

#include <algorithm>
#include <span>
#include <utility>

#include "datasets/augment.h"
#include "datasets/permutation.h"
#include "engine/backend/images.h"
#include "engine/base/philox.h"

namespace graft {

BatchReader::BatchReader(DatasetPtr dataset, const LoaderOptions& options)
    : dataset_(std::move(dataset)), options_(options) {}

std::int64_t BatchReader::batch_count() const {
  const std::int64_t rounded_up = options_.drop_last ? 0 : options_.batch_size - 1;
  return (dataset_->size() + rounded_up) / options_.batch_size;
}

void BatchReader::start_epoch(std::int64_t epoch) {
  epoch_ = epoch;
  if (options_.shuffle) order_ = epoch_order(dataset_->size(), options_.seed, options_.role, epoch);
}

BatchPicks BatchReader::make_picks() const {
  BatchPicks picks;
  const auto rows = static_cast<std::size_t>(options_.batch_size);
  picks.picks.resize(rows * kPickColumns);
  picks.labels.resize(rows);
  if (options_.targets) picks.targets.resize(rows * dataset_->class_names().size());
  return picks;
}

HostBatch BatchReader::make_host_batch() const {
  HostBatch batch;
  batch.picked = make_picks();
  batch.items.resize(static_cast<std::size_t>(options_.batch_size) * dataset_->item_bytes());
  if (options_.augment.any()) batch.image.resize(dataset_->item_bytes());
  return batch;
}

void BatchReader::pick(std::int64_t batch, BatchPicks& into) const {
  const std::int64_t begin = batch * options_.batch_size;
  into.count = std::min(options_.batch_size, dataset_->size() - begin);
  into.rows = options_.pad_last ? options_.batch_size : into.count;
  const RandomStream random{options_.seed, stream_of("augment:" + options_.role)};
  std::fill(into.picks.begin(), into.picks.end(), 0);
  std::fill(into.targets.begin(), into.targets.end(), -1.0f);
  const std::size_t classes = dataset_->class_names().size();
  for (std::int64_t row = 0; row < options_.batch_size; ++row) {
    std::int32_t* pick = into.picks.data() + row * kPickColumns;
    std::int64_t& label = into.labels[static_cast<std::size_t>(row)];
    if (row >= into.count) {
      pick[kPickImage] = -1;
      label = -1;
      continue;
    }
    const std::int64_t item = options_.shuffle ? order_[static_cast<std::size_t>(begin + row)] : begin + row;
    label = dataset_->label(item);
    pick[kPickImage] = static_cast<std::int32_t>(item);
    if (options_.targets) {
      dataset_->read_targets(item, std::span(into.targets).subspan(static_cast<std::size_t>(row) * classes, classes));
    }
    if (!options_.augment.any()) continue;
    const Augmentation drawn = draw_augmentation(options_.augment, random, epoch_, item);
    pick[kPickTop] = static_cast<std::int32_t>(drawn.top);
    pick[kPickLeft] = static_cast<std::int32_t>(drawn.left);
    pick[kPickFlip] = drawn.flip ? 1 : 0;
  }
}

void BatchReader::fill(std::int64_t batch, HostBatch& into) const {
  into.error = nullptr;
  try {
    fill_items(batch, into);
  } catch (...) {
    into.error = std::current_exception();
  }
}

void BatchReader::fill_items(std::int64_t batch, HostBatch& into) const {
  pick(batch, into.picked);
  const Shape shape = dataset_->item_shape();
  const std::size_t bytes = dataset_->item_bytes();
  for (std::int64_t row = 0; row < into.picked.count; ++row) {
    const std::int32_t* pick = into.picked.picks.data() + row * kPickColumns;
    const auto out = std::span(into.items).subspan(static_cast<std::size_t>(row) * bytes, bytes);
    if (options_.augment.any()) {
      read_whole(pick[kPickImage], into.image);
      augment_image(into.image, shape, {.top = pick[kPickTop], .left = pick[kPickLeft], .flip = pick[kPickFlip] != 0},
                    out);
    } else {
      dataset_->read(pick[kPickImage], out);
    }
  }
  std::fill(into.items.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(into.picked.count) * bytes),
            into.items.end(), std::byte{0});
}

void BatchReader::read_whole(std::int64_t item, std::span<std::byte> image) const {
  if (!options_.augment.resized_crop) return dataset_->read(item, image);
  dataset_->read_crop(item,
                      {.options = *options_.augment.resized_crop,
                       .random = {options_.seed, stream_of("resized crop:" + options_.role)},
                       .epoch = epoch_,
                       .item = item},
                      image);
}

std::vector<std::int64_t> epoch_order(std::int64_t count, std::uint64_t seed, const std::string& role,
                                      std::int64_t epoch) {
  return permutation(count, RandomStream{seed, stream_of("order:" + role)}, static_cast<std::uint64_t>(epoch));
}

}  // namespace graft
