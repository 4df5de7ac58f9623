#include "datasets/loader.h"

#include <algorithm>
#include <span>
#include <utility>

#include "datasets/batch_reader.h"
#include "datasets/read_ahead.h"
#include "engine/backend/images.h"
#include "engine/base/error.h"

namespace graft {
namespace {

std::vector<std::int64_t> batch_dims(std::int64_t rows, const Shape& item) {
  std::vector<std::int64_t> dims = {rows};
  dims.insert(dims.end(), item.dims().begin(), item.dims().end());
  return dims;
}

void check_options(const Dataset& dataset, const LoaderOptions& options) {
  check(options.batch_size >= 1, "[loader] batch size {}; give at least 1", options.batch_size);
  check(options.threads >= 0, "[loader] {} threads; give 0 or more", options.threads);
  check(options.augment.crop_padding >= 0, "[loader] crop padding {}; give 0 or more", options.augment.crop_padding);
  check(options.augment.flip_probability >= 0.0 && options.augment.flip_probability <= 1.0,
        "[loader] images are mirrored with probability {}; give 0 to 1", options.augment.flip_probability);
  if (const auto& crop = options.augment.resized_crop) {
    check(crop->min_area > 0.0 && crop->min_area <= crop->max_area && crop->max_area <= 1.0,
          "[loader] random crops of {} to {} of the area; give 0 < least <= most <= 1", crop->min_area, crop->max_area);
    check(crop->min_ratio > 0.0 && crop->min_ratio <= crop->max_ratio,
          "[loader] random crops of ratio {} to {}; give 0 < least <= most", crop->min_ratio, crop->max_ratio);
    check(crop->side >= 0.0 && crop->side <= 1.0, "[loader] random crops of {} of the shorter side; give 0 to 1",
          crop->side);
  }
  if (dataset.item_dtype() != DType::u8) {
    check(!options.augment.any(), "[loader] augmentation wants u8 images, the items are {}",
          name_of(dataset.item_dtype()));
    return;
  }
  const Shape shape = dataset.item_shape();
  check(shape.rank() == 3, "[loader] u8 items are images [H, W, C], these are {}", shape.str());
  const auto channels = static_cast<std::size_t>(shape[2]);
  check(options.mean.size() == channels && options.deviation.size() == channels,
        "[loader] {} means and {} deviations for {} channels", options.mean.size(), options.deviation.size(), channels);
  for (const float deviation : options.deviation) {
    check(deviation > 0.0f, "[loader] deviation {}; give one above 0", deviation);
  }
}

Tensor upload(Backend& backend, const std::vector<float>& values) {
  Tensor tensor = backend.empty({static_cast<std::int64_t>(values.size())}, DType::f32);
  backend.copy_from_host(values.data(), tensor);
  return tensor;
}

}  // namespace

/// Where a Loader's batches come from.
class Loader::Impl {
 public:
  Impl(const Dataset& dataset, Backend& backend, const LoaderOptions& options)
      : backend_(backend), labels_(backend.empty({options.batch_size}, DType::i64)) {
    const auto classes = static_cast<std::int64_t>(dataset.class_names().size());
    if (options.targets) targets_ = backend.empty({options.batch_size, classes}, DType::f32);
  }
  virtual ~Impl() = default;

  virtual std::int64_t batch_count() const = 0;
  virtual void start_epoch(std::int64_t epoch) = 0;
  virtual std::optional<Batch> next() = 0;

 protected:
  Batch batch_of(const BatchPicks& picked, const Tensor& items) {
    Batch batch{.items = items.slice(0, picked.rows),
                .labels = labels_.slice(0, picked.rows),
                .targets = targets_.defined() ? targets_.slice(0, picked.rows) : Tensor(),
                .count = picked.count};
    backend_.copy_from_host(picked.labels.data(), batch.labels);
    if (batch.targets.defined()) backend_.copy_from_host(picked.targets.data(), batch.targets);
    return batch;
  }

  Backend& backend_;

 private:
  Tensor labels_;
  Tensor targets_;  ///< undefined where nobody asked for them
};

namespace {

/// Batches that are read on the host, by worker threads where asked, and copied to the backend one by one.
class StreamingLoader final : public Loader::Impl {
 public:
  StreamingLoader(const DatasetPtr& dataset, Backend& backend, const LoaderOptions& options)
      : Impl(*dataset, backend, options), reader_(dataset, options), read_ahead_(reader_, options.threads) {
    const Shape shape(batch_dims(options.batch_size, dataset->item_shape()));
    normalise_ = dataset->item_dtype() == DType::u8;
    items_ = backend.empty(shape, normalise_ ? options.dtype : dataset->item_dtype());
    if (!normalise_) return;
    pixels_ = backend.empty(shape, DType::u8);
    mean_ = upload(backend, options.mean);
    deviation_ = upload(backend, options.deviation);
  }

  std::int64_t batch_count() const override { return reader_.batch_count(); }
  void start_epoch(std::int64_t epoch) override { read_ahead_.start_epoch(epoch); }

  std::optional<Batch> next() override {
    const HostBatch* host = read_ahead_.next();
    if (host == nullptr) return std::nullopt;
    if (host->error) std::rethrow_exception(host->error);
    Batch batch = batch_of(host->picked, items_);
    const Tensor raw = normalise_ ? pixels_.slice(0, host->picked.rows) : batch.items;
    backend_.copy_from_host(host->items.data(), raw);
    if (normalise_) backend_.normalize_images(raw, mean_, deviation_, batch.items);
    return batch;
  }

 private:
  BatchReader reader_;
  ReadAhead read_ahead_;
  bool normalise_ = false;
  Tensor items_;
  Tensor pixels_;
  Tensor mean_;
  Tensor deviation_;
};

/// All images of a data set on the backend, [M, H, W, C], read in pieces, by threads where there are some, so that the
/// host holds few of them at a time.
Tensor upload_images(const DatasetPtr& dataset, Backend& backend, int threads) {
  constexpr std::int64_t kPiece = 256;
  const Tensor images = backend.empty(Shape(batch_dims(dataset->size(), dataset->item_shape())), DType::u8);
  BatchReader reader(dataset, {.batch_size = std::min(kPiece, std::max<std::int64_t>(dataset->size(), 1))});
  ReadAhead pieces(reader, threads);
  pieces.start_epoch(0);
  std::int64_t begin = 0;
  while (const HostBatch* piece = pieces.next()) {
    if (piece->error) std::rethrow_exception(piece->error);
    const std::int64_t end = begin + piece->picked.count;
    backend.copy_from_host(piece->items.data(), images.slice(begin, end));
    begin = end;
  }
  return images;
}

/// Batches that are gathered from images on the backend.
class ResidentLoader final : public Loader::Impl {
 public:
  ResidentLoader(const DatasetPtr& dataset, Backend& backend, const LoaderOptions& options)
      : Impl(*dataset, backend, options),
        reader_(dataset, options),
        picked_(reader_.make_picks()),
        images_(upload_images(dataset, backend, options.threads)),
        picks_(backend.empty({options.batch_size, kPickColumns}, DType::i32)),
        mean_(upload(backend, options.mean)),
        deviation_(upload(backend, options.deviation)),
        items_(backend.empty(Shape(batch_dims(options.batch_size, dataset->item_shape())), options.dtype)) {}

  std::int64_t batch_count() const override { return reader_.batch_count(); }
  void start_epoch(std::int64_t epoch) override {
    reader_.start_epoch(epoch);
    next_ = 0;
  }

  std::optional<Batch> next() override {
    if (next_ == reader_.batch_count()) return std::nullopt;
    reader_.pick(next_++, picked_);
    Batch batch = batch_of(picked_, items_);
    const Tensor picks = picks_.slice(0, picked_.rows);
    backend_.copy_from_host(picked_.picks.data(), picks);
    backend_.gather_images(images_, picks, mean_, deviation_, batch.items);
    return batch;
  }

 private:
  BatchReader reader_;
  BatchPicks picked_;
  std::int64_t next_ = 0;
  Tensor images_;
  Tensor picks_;
  Tensor mean_;
  Tensor deviation_;
  Tensor items_;
};

bool fits(const Dataset& dataset, const LoaderOptions& options) {
  return dataset.item_dtype() == DType::u8 && !options.augment.resized_crop &&
         static_cast<std::size_t>(dataset.size()) * dataset.item_bytes() <= options.resident_bytes;
}

}  // namespace

Loader::Loader(const DatasetPtr& dataset, Backend& backend, const LoaderOptions& options) {
  check_options(*dataset, options);
  if (fits(*dataset, options)) {
    impl_ = std::make_unique<ResidentLoader>(dataset, backend, options);
  } else {
    impl_ = std::make_unique<StreamingLoader>(dataset, backend, options);
  }
}

Loader::~Loader() = default;

std::int64_t Loader::batch_count() const { return impl_->batch_count(); }

void Loader::start_epoch(std::int64_t epoch) {
  started_ = true;
  impl_->start_epoch(epoch);
}

std::optional<Batch> Loader::next() {
  check(started_, "[loader] no epoch was started; call start_epoch first");
  return impl_->next();
}

}  // namespace graft
