#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "cuda/platform.h"
#include "cuda/runtime/stream.h"
#include "engine/tensor/storage.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// What a pool and the pools of its graphs hold.
struct MemoryStatistics {
  std::size_t in_use = 0;           ///< bytes asked for by the blocks that are alive
  std::size_t reserved = 0;         ///< bytes held from the device
  std::size_t peak_reserved = 0;    ///< the most that was held at once
  std::size_t device_requests = 0;  ///< blocks that the device had to be asked for
};

/// Device memory of one stream: blocks that are given back are given out again to work that comes later in the stream,
/// so nothing has to be waited for. Whatever uses a block must therefore be given to that stream, or be made to come
/// before its later work by an event. Tensors may outlive the backend and be released in another thread.
class MemoryPool : public std::enable_shared_from_this<MemoryPool> {
 public:
  static std::shared_ptr<MemoryPool> create(const Device& device);
  /// A pool of its own for what a graph records: its blocks are at the graph's addresses, so they serve nobody else,
  /// and the device does not get them back, before the last owner of the pool ends. It counts towards the statistics of
  /// this one.
  std::shared_ptr<MemoryPool> create_private() const;
  ~MemoryPool();
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  /// Aligned to 512. Throws Error(device) that says how much was wanted, held and free when there is none.
  StoragePtr allocate(std::size_t bytes);
  MemoryStatistics statistics() const;
  /// Gives all free blocks back to the device.
  void trim();

 private:
  /// Shared by a pool and its private ones.
  struct Account {
    std::mutex mutex;
    MemoryStatistics statistics;
  };

  MemoryPool(const Device& device, std::shared_ptr<Account> account, bool is_private)
      : device_(device), account_(std::move(account)), private_(is_private) {}
  void* take(std::size_t size);
  void* reserve(std::size_t size);
  void release(void* data, std::size_t block_bytes, std::size_t wanted_bytes);
  void trim_locked();
  [[noreturn]] void fail_for_want_of(std::size_t size) const;

  Device device_;
  std::shared_ptr<Account> account_;
  bool private_;  ///< a graph's
  std::mutex mutex_;
  std::multimap<std::size_t, void*> free_;
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
