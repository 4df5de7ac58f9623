#include "datasets/read_ahead.h"

namespace graft {

ReadAhead::ReadAhead(BatchReader& reader, int threads) : reader_(reader) {
  // One batch is with the consumer, each worker fills one, and each has one ready.
  const int slots = 1 + 2 * threads;
  for (int i = 0; i < slots; ++i) slots_.push_back({.batch = reader.make_host_batch()});
  try {
    for (int i = 0; i < threads; ++i) workers_.emplace_back([this] { work(); });
  } catch (...) {
    stop_workers();
    throw;
  }
}

ReadAhead::~ReadAhead() { stop_workers(); }

void ReadAhead::stop_workers() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_there_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

bool ReadAhead::work_waits() const {
  return filled_ < batches_ && filled_ < in_use_ + static_cast<std::int64_t>(slots_.size());
}

void ReadAhead::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_there_.wait(lock, [this] { return stop_ || work_waits(); });
    if (stop_) return;
    const std::int64_t batch = filled_++;
    ++busy_;
    lock.unlock();
    reader_.fill(batch, slot_of(batch).batch);
    lock.lock();
    --busy_;
    slot_of(batch).holds = batch;
    batch_there_.notify_all();
  }
}

void ReadAhead::start_epoch(std::int64_t epoch) {
  std::unique_lock lock(mutex_);
  batches_ = 0;  // no worker starts on a batch of the old epoch
  batch_there_.wait(lock, [this] { return busy_ == 0; });
  reader_.start_epoch(epoch);
  for (Slot& slot : slots_) slot.holds = -1;
  batches_ = reader_.batch_count();
  filled_ = 0;
  taken_ = 0;
  in_use_ = 0;
  work_there_.notify_all();
}

const HostBatch* ReadAhead::next() {
  std::unique_lock lock(mutex_);
  in_use_ = taken_;  // the batch handed out last is done with
  if (taken_ == batches_) return nullptr;
  const std::int64_t batch = taken_++;
  Slot& slot = slot_of(batch);
  if (workers_.empty()) {
    reader_.fill(batch, slot.batch);
  } else {
    work_there_.notify_all();
    batch_there_.wait(lock, [&] { return slot.holds == batch; });
  }
  return &slot.batch;
}

}  // namespace graft
