#include "datasets/loader.h"

#include <utility>

#include "datasets/batch_reader.h"
#include "datasets/read_ahead.h"
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

class Loader::Impl {
 public:
  Impl(const DatasetPtr& dataset, Backend& backend, const LoaderOptions& options)
      : backend_(backend), reader_(dataset, options), read_ahead_(reader_, options.threads) {
    const Shape shape(batch_dims(options.batch_size, dataset->item_shape()));
    normalise_ = dataset->item_dtype() == DType::u8;
    items_ = backend.empty(shape, normalise_ ? options.dtype : dataset->item_dtype());
    labels_ = backend.empty({options.batch_size}, DType::i64);
    if (!normalise_) return;
    pixels_ = backend.empty(shape, DType::u8);
    mean_ = upload(backend, options.mean);
    deviation_ = upload(backend, options.deviation);
  }

  std::int64_t batch_count() const { return reader_.batch_count(); }
  void start_epoch(std::int64_t epoch) {
    started_ = true;
    read_ahead_.start_epoch(epoch);
  }

  std::optional<Batch> next() {
    check(started_, "[loader] no epoch was started; call start_epoch first");
    const HostBatch* host = read_ahead_.next();
    if (host == nullptr) return std::nullopt;
    if (host->error) std::rethrow_exception(host->error);
    Batch batch{.items = items_.slice(0, host->rows), .labels = labels_.slice(0, host->rows), .count = host->count};
    const Tensor raw = normalise_ ? pixels_.slice(0, host->rows) : batch.items;
    backend_.copy_from_host(host->items.data(), raw);
    if (normalise_) backend_.normalize_images(raw, mean_, deviation_, batch.items);
    backend_.copy_from_host(host->labels.data(), batch.labels);
    return batch;
  }

 private:
  Backend& backend_;
  BatchReader reader_;
  ReadAhead read_ahead_;
  bool normalise_ = false;
  bool started_ = false;
  Tensor items_;
  Tensor labels_;
  Tensor pixels_;
  Tensor mean_;
  Tensor deviation_;
};

Loader::Loader(const DatasetPtr& dataset, Backend& backend, const LoaderOptions& options) {
  check_options(*dataset, options);
  impl_ = std::make_unique<Impl>(dataset, backend, options);
}

Loader::~Loader() = default;

std::int64_t Loader::batch_count() const { return impl_->batch_count(); }

void Loader::start_epoch(std::int64_t epoch) { impl_->start_epoch(epoch); }

std::optional<Batch> Loader::next() { return impl_->next(); }

}  // namespace graft
