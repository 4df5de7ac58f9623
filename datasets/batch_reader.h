#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/loader.h"

namespace graft {

/// Which items a batch is made of and what happens to each, with room for a whole batch.
struct BatchPicks {
  std::vector<std::int32_t> picks;  ///< [rows, 4] as gather_images takes them; image -1 for padding
  std::vector<std::int64_t> labels;
  std::vector<float> targets;  ///< [rows, classes] where they are asked for
  std::int64_t rows = 0;       ///< with padding
  std::int64_t count = 0;      ///< real items
};

/// A batch in host memory, with room for a whole one.
struct HostBatch {
  BatchPicks picked;
  std::vector<std::byte> items;
  std::exception_ptr error;
  std::vector<std::byte> image;  ///< scratch of one item, for augmentation
};

/// Fills host batches: what every loader thread does. A batch is a function of its number, so it does not matter which
/// thread fills it, nor when. Between two start_epoch calls it may be used from many threads.
class BatchReader {
 public:
  BatchReader(DatasetPtr dataset, const LoaderOptions& options);

  std::int64_t batch_count() const;
  /// No thread may be filling.
  void start_epoch(std::int64_t epoch);
  /// What batch number `batch` of the epoch is made of.
  void pick(std::int64_t batch, BatchPicks& into) const;
  /// Fills `into` with batch number `batch` of the epoch, or with the error that reading it met.
  void fill(std::int64_t batch, HostBatch& into) const;
  BatchPicks make_picks() const;
  HostBatch make_host_batch() const;

 private:
  void fill_items(std::int64_t batch, HostBatch& into) const;
  /// One item, or the random part of it that the epoch sees, before other augmentation.
  void read_whole(std::int64_t item, std::span<std::byte> image) const;

  DatasetPtr dataset_;
  LoaderOptions options_;
  std::vector<std::int64_t> order_;  ///< empty where items are read in their own order
  std::int64_t epoch_ = 0;
};

}  // namespace graft
