#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/loader.h"

namespace graft {

/// A batch in host memory, with room for a whole one.
struct HostBatch {
  std::vector<std::byte> items;
  std::vector<std::int64_t> labels;
  std::int64_t rows = 0;   ///< with padding
  std::int64_t count = 0;  ///< real items
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
  /// Fills `into` with batch number `batch` of the epoch, or with the error that reading it met.
  void fill(std::int64_t batch, HostBatch& into) const;
  /// A host batch with room for a whole batch.
  HostBatch make_host_batch() const;

 private:
  void fill_items(std::int64_t batch, HostBatch& into) const;

  DatasetPtr dataset_;
  LoaderOptions options_;
  std::vector<std::int64_t> order_;  ///< empty where items are read in their own order
  std::int64_t epoch_ = 0;
};

}  // namespace graft
