#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "datasets/batch_reader.h"

namespace graft {

/// Worker threads that fill a ring of host batches ahead of their consumer. Batch b goes to slot b modulo the ring's
/// size, so batches come out in order whoever filled them.
class ReadAhead {
 public:
  /// With no threads the consumer fills its own batches.
  ReadAhead(BatchReader& reader, int threads);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  void start_epoch(std::int64_t epoch);
  /// The next batch, valid until the next call; nullptr at the end of the epoch.
  const HostBatch* next();

 private:
  struct Slot {
    HostBatch batch;
    std::int64_t holds = -1;  ///< the batch that it is full with
  };
  Slot& slot_of(std::int64_t batch) { return slots_[static_cast<std::size_t>(batch) % slots_.size()]; }
  bool work_waits() const;
  void work();
  void stop_workers();

  BatchReader& reader_;
  std::vector<Slot> slots_;
  std::mutex mutex_;
  std::condition_variable work_there_;
  std::condition_variable batch_there_;
  std::int64_t batches_ = 0;  ///< of this epoch
  std::int64_t filled_ = 0;   ///< the next batch to be filled
  std::int64_t taken_ = 0;    ///< the next batch to be handed out
  std::int64_t in_use_ = 0;   ///< batches below it are done with
  int busy_ = 0;              ///< workers that are filling
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace graft
