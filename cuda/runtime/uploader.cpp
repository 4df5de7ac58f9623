#include "cuda/runtime/uploader.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

Uploader::Uploader(const Stream& stream, const MemoryPool& pool)
    : stream_(stream), copies_(stream.device()), memory_(pool.create_private()), small_(kSmallSlots * kSmallBytes) {
  for (std::size_t i = 0; i < kSmallSlots; ++i) small_slots_[i].host = small_.data() + i * kSmallBytes;
}

Uploader::~Uploader() {
  // Copies that are still on their way read and write the slots; of an error there is nobody to tell.
  cudaStreamSynchronize(copies_.handle());
  cudaStreamSynchronize(stream_.handle());
}

void Uploader::copy(const void* source, void* destination, std::size_t bytes) {
  const auto* from = static_cast<const std::byte*>(source);
  auto* to = static_cast<std::byte*>(destination);
  if (bytes > 0 && bytes <= kSmallBytes) return copy_small(from, to, bytes);
  for (std::size_t done = 0; done < bytes; done += kSlotBytes) {
    copy_piece(from + done, to + done, std::min(kSlotBytes, bytes - done));
  }
}

void Uploader::copy_small(const std::byte* source, std::byte* destination, std::size_t bytes) {
  const SmallSlot& slot = small_slots_[next_small_++ % kSmallSlots];
  slot.copied.synchronize();
  std::memcpy(slot.host, source, bytes);
  stream_.copy(slot.host, destination, bytes);
  slot.copied.record(stream_);
}

void Uploader::copy_piece(const std::byte* source, std::byte* destination, std::size_t bytes) {
  LargeSlot& slot = large_slots_[next_large_++ % kLargeSlots];
  slot.uploaded.synchronize();
  if (slot.host.size() < bytes) {
    slot.consumed.synchronize();
    const std::size_t size = std::bit_ceil(bytes);
    slot.host = PinnedBuffer(size);
    slot.device = memory_->allocate(size);
  }
  std::memcpy(slot.host.data(), source, bytes);
  copies_.wait(slot.consumed);
  copies_.copy(slot.host.data(), slot.device->data(), bytes);
  slot.uploaded.record(copies_);
  stream_.wait(slot.uploaded);
  stream_.copy(slot.device->data(), destination, bytes);
  slot.consumed.record(stream_);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
