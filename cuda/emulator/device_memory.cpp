#include "cuda/emulator/device_memory.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "cuda/emulator/memory_check.h"
#include "cuda/emulator/sanitizer.h"
#ifdef GRAFT_EMULATOR_CHECKED
#include "cuda/emulator/checked/checker.h"
#endif

namespace graft::cuda::emulator {

namespace {

std::atomic<bool> stay_open = false;
constexpr int kUnwritten = 0xff;  // NaN in every floating dtype

#ifdef GRAFT_EMULATOR_CHECKED
using checked::Arena;
using checked::ByteState;

void* take(std::size_t bytes) { return Arena::instance().allocate(bytes); }
void give_back(void* address) { Arena::instance().free(address); }
bool is_device_memory(const void* address) { return Arena::instance().shadow().contains(address); }
void mark_written(const void* address, std::size_t bytes) {
  Arena::instance().shadow().set(address, bytes, ByteState::written);
}
void copy_marks(const void* to, const void* from, std::size_t bytes) {
  checked::Shadow& shadow = Arena::instance().shadow();
  shadow.copy_states(to, shadow, from, bytes);
}
void set_extent(void* block, std::size_t bytes, std::size_t block_bytes) {
  Arena::instance().set_extent(block, bytes, block_bytes);
}
#else
constexpr std::size_t kAlignment = 512;

void* take(std::size_t bytes) {
  void* address = nullptr;  // not more than asked for: AddressSanitizer guards what lies behind
  return posix_memalign(&address, kAlignment, bytes) == 0 ? address : nullptr;
}
void give_back(void* address) { std::free(address); }
bool is_device_memory(const void* /*address*/) { return false; }
void mark_written(const void* /*address*/, std::size_t /*bytes*/) {}
void copy_marks(const void* /*to*/, const void* /*from*/, std::size_t /*bytes*/) {}
void set_extent(void* /*block*/, std::size_t /*bytes*/, std::size_t /*block_bytes*/) {}
#endif

}  // namespace

void* allocate_device_memory(std::size_t bytes) {
  void* address = take(bytes);
  if (address != nullptr) std::memset(address, kUnwritten, bytes);
  return address;
}

void free_device_memory(void* address, std::size_t bytes) {
  allow_bytes(address, bytes);
  give_back(address);
}

void device_memory_written(const void* address, std::size_t bytes) {
  if (bytes > 0 && is_device_memory(address)) mark_written(address, bytes);
}

void device_memory_copied(const void* to, const void* from, std::size_t bytes) {
  if (bytes == 0 || !is_device_memory(to)) return;
  if (is_device_memory(from)) {
    copy_marks(to, from, bytes);
  } else {
    mark_written(to, bytes);
  }
}

void pool_block_given_out(void* block, std::size_t bytes, std::size_t block_bytes) {
  auto* begin = static_cast<std::byte*>(block);
  if (stay_open) {
    allow_bytes(begin, block_bytes);
    set_extent(block, block_bytes, block_bytes);
    device_memory_written(block, block_bytes);
    return;
  }
  allow_bytes(begin, bytes);
  forbid_bytes(begin + bytes, block_bytes - bytes);
  set_extent(block, bytes, block_bytes);
  std::memset(block, kUnwritten, bytes);
}

void pool_block_taken_back(void* block, std::size_t block_bytes) {
  if (stay_open) return;
  forbid_bytes(block, block_bytes);
  set_extent(block, 0, block_bytes);
}

void pool_blocks_stay_open() { stay_open = true; }

}  // namespace graft::cuda::emulator
