#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "engine/tensor/storage.h"

namespace graft {

/// Blocks of host memory that are cut from large mappings, kept when they are freed and used again: a fresh page costs
/// more than the arithmetic of a small layer.
///
/// A heap is a range of reserved addresses that grows at its end, so all free neighbours can be joined and the pool's
/// size is that of the largest set of blocks alive at once plus what best fit leaves over. Small blocks have a heap of
/// their own: long-lived small ones would otherwise cut up the space of the large. Nothing goes back to the system
/// before the pool ends, and it ends after its last block: every Storage holds it. Safe in several threads.
class MemoryPool : public std::enable_shared_from_this<MemoryPool> {
 public:
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::size_t kSmallBytes = std::size_t{1} << 18;  ///< blocks up to this size are small

  static std::shared_ptr<MemoryPool> create();
  ~MemoryPool();
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  /// Undefined contents, aligned to 64 bytes; of 0 bytes too it has an address of its own. Throws Error(device) when
  /// the system has no more.
  StoragePtr allocate(std::size_t bytes);

  /// Bytes asked for by the blocks that are alive.
  std::size_t bytes_in_use() const;
  /// Bytes that may be written to in all heaps.
  std::size_t bytes_reserved() const;

 private:
  struct Block {
    std::size_t size = 0;
    bool free = false;
  };

  /// A range of reserved addresses of which the first `committed` bytes are usable, wholly covered by blocks.
  struct Heap {
    std::byte* base = nullptr;
    std::size_t reserved = 0;
    std::size_t committed = 0;
    std::map<std::byte*, Block> blocks{};
    std::set<std::pair<std::size_t, std::byte*>> free{};  ///< by size, then by address
  };

  MemoryPool() = default;
  std::byte* take(std::vector<Heap>& heaps, std::size_t size);
  static std::byte* take_free(Heap& heap, std::size_t size);
  static bool grow(Heap& heap, std::size_t size);
  static Heap reserve(std::size_t size);
  static void give_back(Heap& heap, std::byte* address);
  void release(void* data, std::size_t bytes);

  mutable std::mutex mutex_;
  std::vector<Heap> small_;
  std::vector<Heap> large_;
  std::size_t in_use_ = 0;
};

}  // namespace graft
