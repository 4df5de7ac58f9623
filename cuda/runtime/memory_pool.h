#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "cuda/platform.h"
#include "cuda/runtime/stream.h"
#include "engine/tensor/storage.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Device memory of one stream: blocks that are given back are given out again to work that comes later in the stream,
/// so nothing has to be waited for. Tensors may outlive the backend and be released in another thread.
class MemoryPool : public std::enable_shared_from_this<MemoryPool> {
 public:
  static std::shared_ptr<MemoryPool> create(const Device& device);
  ~MemoryPool();
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  /// Aligned to 512. Throws Error(device) that says how much was wanted, held and free when there is none.
  StoragePtr allocate(std::size_t bytes);
  std::size_t bytes_in_use() const;
  std::size_t bytes_reserved() const;
  /// Gives all free blocks back to the device.
  void trim();

 private:
  explicit MemoryPool(const Device& device) : device_(device) {}
  void release(void* data, std::size_t block_bytes, std::size_t wanted_bytes);
  void trim_locked();

  Device device_;
  mutable std::mutex mutex_;
  std::multimap<std::size_t, void*> free_;
  std::size_t in_use_ = 0;
  std::size_t reserved_ = 0;
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
