#include "engine/cpu/memory_pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "engine/base/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace graft {

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{1} << 21;

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kRedZone = MemoryPool::kAlignment;  // between a block's end and the next one
void poison(void* address, std::size_t bytes) { __asan_poison_memory_region(address, bytes); }
void unpoison(void* address, std::size_t bytes) { __asan_unpoison_memory_region(address, bytes); }
#else
constexpr std::size_t kRedZone = 0;
void poison(void*, std::size_t) {}
void unpoison(void*, std::size_t) {}
#endif

std::size_t round_up(std::size_t bytes, std::size_t step) { return (bytes + step - 1) / step * step; }

/// Few sizes make exact fits frequent: steps of 64 bytes for the small, of a page for the large, where a page is at
/// most a 64th.
std::size_t block_size(std::size_t bytes) {
  const std::size_t wanted = std::max<std::size_t>(bytes + kRedZone, 1);
  return round_up(wanted, wanted <= MemoryPool::kSmallBytes ? MemoryPool::kAlignment : kPage);
}

[[noreturn]] void fail_allocation(std::size_t bytes, std::size_t in_use, std::size_t reserved) {
  fail(ErrorKind::device,
       "[allocate] the system has no memory for {} bytes, {} are in use of {} held: use a smaller batch or fewer jobs",
       bytes, in_use, reserved);
}

}  // namespace

std::shared_ptr<MemoryPool> MemoryPool::create() { return std::shared_ptr<MemoryPool>(new MemoryPool()); }

MemoryPool::~MemoryPool() {
  for (const std::vector<Heap>* heaps : {&small_, &large_}) {
    for (const Heap& heap : *heaps) {
      unpoison(heap.base, heap.committed);  // no more: each reserved byte would cost the sanitizer memory
      munmap(heap.base, heap.reserved);
    }
  }
}

StoragePtr MemoryPool::allocate(std::size_t bytes) {
  // Beyond half of the addresses no sum below can overflow.
  if (bytes > std::size_t{1} << 62) fail_allocation(bytes, bytes_in_use(), bytes_reserved());
  const std::size_t size = block_size(bytes);
  std::byte* address = nullptr;
  {
    const std::lock_guard lock(mutex_);
    address = take(size <= kSmallBytes ? small_ : large_, size);
    if (address != nullptr) in_use_ += bytes;
  }
  if (address == nullptr) fail_allocation(bytes, bytes_in_use(), bytes_reserved());
  unpoison(address, bytes);
  return std::make_shared<Storage>(
      address, bytes, [pool = shared_from_this()](void* data, std::size_t held) { pool->release(data, held); });
}

std::size_t MemoryPool::bytes_in_use() const {
  const std::lock_guard lock(mutex_);
  return in_use_;
}

std::size_t MemoryPool::bytes_reserved() const {
  const std::lock_guard lock(mutex_);
  std::size_t total = 0;
  for (const std::vector<Heap>* heaps : {&small_, &large_}) {
    for (const Heap& heap : *heaps) total += heap.committed;
  }
  return total;
}

std::byte* MemoryPool::take(std::vector<Heap>& heaps, std::size_t size) {
  for (Heap& heap : heaps) {
    if (std::byte* address = take_free(heap, size)) return address;
  }
  if (heaps.empty() || !grow(heaps.back(), size)) {
    Heap heap = reserve(size);
    if (heap.base == nullptr) return nullptr;
    if (!grow(heap, size)) {
      munmap(heap.base, heap.reserved);
      return nullptr;
    }
    heaps.push_back(std::move(heap));
  }
  return take_free(heaps.back(), size);
}

std::byte* MemoryPool::take_free(Heap& heap, std::size_t size) {
  const auto best = heap.free.lower_bound({size, nullptr});
  if (best == heap.free.end()) return nullptr;
  const auto [available, address] = *best;
  heap.free.erase(best);
  heap.blocks[address] = {size, false};
  if (available > size) {
    heap.blocks[address + size] = {available - size, true};
    heap.free.emplace(available - size, address + size);
  }
  return address;
}

bool MemoryPool::grow(Heap& heap, std::size_t size) {
  std::size_t free_at_end = 0;
  if (!heap.blocks.empty() && heap.blocks.rbegin()->second.free) free_at_end = heap.blocks.rbegin()->second.size;
  const std::size_t more = round_up(size - free_at_end, kHugePage);
  if (more > heap.reserved - heap.committed) return false;
  std::byte* end = heap.base + heap.committed;
  if (mprotect(end, more, PROT_READ | PROT_WRITE) != 0) return false;
  poison(end, more);
  heap.committed += more;
  heap.blocks[end] = {more, false};
  give_back(heap, end);
  return true;
}

MemoryPool::Heap MemoryPool::reserve(std::size_t size) {
  // Addresses cost nothing: as many as the machine has memory, fewer where the process is limited.
  const std::size_t least = round_up(size, kHugePage) + kHugePage;
  const auto memory =
      static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (std::size_t bytes = std::max(least, round_up(memory, kHugePage));; bytes = std::max(least, bytes / 2)) {
    void* mapped = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped != MAP_FAILED) {
      const std::size_t ahead =
          round_up(reinterpret_cast<std::size_t>(mapped), kHugePage) - reinterpret_cast<std::size_t>(mapped);
      Heap heap;
      heap.base = static_cast<std::byte*>(mapped) + ahead;
      heap.reserved = (bytes - ahead) / kHugePage * kHugePage;
      if (ahead > 0) munmap(mapped, ahead);
      if (const std::size_t behind = bytes - ahead - heap.reserved; behind > 0) {
        munmap(heap.base + heap.reserved, behind);
      }
      // A hint: without it the pool is right, and slower to warm up.
      madvise(heap.base, heap.reserved, MADV_HUGEPAGE);
      return heap;
    }
    if (bytes == least) return {};
  }
}

void MemoryPool::give_back(Heap& heap, std::byte* address) {
  auto block = heap.blocks.find(address);
  block->second.free = true;
  if (const auto next = std::next(block); next != heap.blocks.end() && next->second.free) {
    heap.free.erase({next->second.size, next->first});
    block->second.size += next->second.size;
    heap.blocks.erase(next);
  }
  if (block != heap.blocks.begin()) {
    if (const auto previous = std::prev(block); previous->second.free) {
      heap.free.erase({previous->second.size, previous->first});
      previous->second.size += block->second.size;
      heap.blocks.erase(block);
      block = previous;
    }
  }
  heap.free.emplace(block->second.size, block->first);
}

void MemoryPool::release(void* data, std::size_t bytes) {
  auto* address = static_cast<std::byte*>(data);
  poison(address, bytes);
  const std::lock_guard lock(mutex_);
  in_use_ -= bytes;
  for (Heap& heap : block_size(bytes) <= kSmallBytes ? small_ : large_) {
    if (address >= heap.base && address < heap.base + heap.committed) {
      give_back(heap, address);
      return;
    }
  }
}

}  // namespace graft
