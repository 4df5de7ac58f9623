#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "cuda/platform.h"
#include "cuda/runtime/event.h"
#include "cuda/runtime/memory_pool.h"
#include "cuda/runtime/pinned_buffer.h"
#include "cuda/runtime/stream.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Copies from ordinary host memory to the device without waiting for it: the source has been read when copy()
/// returns, the destination is written in the order of the compute stream.
///
/// A large copy goes source -> pinned memory (by the host) -> device memory of the uploader's own (by a copy stream,
/// beside kernels that still use the destination) -> destination (by the compute stream, at the device's own speed). A
/// small one goes from pinned memory to the destination by the compute stream itself. Pinned and device memory are
/// rings of slots; events, not time, say when a slot may be used again.
class Uploader {
 public:
  /// `stream` must outlive this; device memory comes from a private pool of `pool`.
  Uploader(const Stream& stream, const MemoryPool& pool);
  ~Uploader();
  Uploader(const Uploader&) = delete;
  Uploader& operator=(const Uploader&) = delete;

  void copy(const void* source, void* destination, std::size_t bytes);

  static constexpr std::size_t kSmallBytes = std::size_t{4} << 10;
  static constexpr std::size_t kSlotBytes = std::size_t{16} << 20;  ///< longer copies go piece by piece

 private:
  struct SmallSlot {
    std::byte* host = nullptr;
    Event copied;
  };
  struct LargeSlot {
    PinnedBuffer host;
    StoragePtr device;
    Event uploaded;  ///< host may be written to
    Event consumed;  ///< device may be written to
  };
  static constexpr std::size_t kSmallSlots = 64;
  static constexpr std::size_t kLargeSlots = 3;

  void copy_small(const std::byte* source, std::byte* destination, std::size_t bytes);
  void copy_piece(const std::byte* source, std::byte* destination, std::size_t bytes);

  const Stream& stream_;
  Stream copies_;
  std::shared_ptr<MemoryPool> memory_;
  PinnedBuffer small_;
  std::array<SmallSlot, kSmallSlots> small_slots_;
  std::array<LargeSlot, kLargeSlots> large_slots_;
  std::size_t next_small_ = 0;
  std::size_t next_large_ = 0;
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
