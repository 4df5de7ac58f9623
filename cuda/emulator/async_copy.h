#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cuda/emulator/scheduler.h"

// cp.async, as cuda/kernels/device/async_copy.cuh asks for it. A copy is written down when it is issued, its
// destination filled with NaN, and done when the issuing thread waits for it: as late as a GPU may be. Bytes on their
// way are found out in every build.

namespace graft::cuda::emulator {

/// Writes down a copy of `bytes` (4, 8 or 16) from `global`, or of zeros unless `valid`, by the running thread.
GRAFT_CALL_APART void async_copy_issue(void* shared, const void* global, std::size_t bytes, bool valid);
void async_copy_commit();
/// Does the running thread's committed copies but those of its latest `groups_left`.
void async_copy_wait(std::size_t groups_left);

/// What is on its way to the running block's shared memory.
class AsyncCopies {
 public:
  /// Forgets everything: a block of `threads` begins.
  void begin_block(std::size_t threads);
  void issue(void* shared, const void* global, std::size_t bytes, bool valid, const void* pc);
  void commit();
  void wait(std::size_t groups_left);
  /// A fault if the thread that ends has copies that it did not wait for.
  void end_thread(std::size_t thread) const;
  bool any() const { return in_flight_ > 0; }
  /// "that thread 3's copy_async at x.cu:12 is still to write" if any of the bytes are on their way, else "".
  std::string in_flight(const void* address, std::size_t bytes) const;

 private:
  struct Copy {
    std::byte* shared;
    const std::byte* global;
    std::uint32_t bytes;
    bool valid;
    std::uint64_t group;
    const void* pc;
  };
  struct Queue {
    std::vector<Copy> copies;  ///< in the order of issue; those before `done` are done
    std::size_t done = 0;
    std::uint64_t group = 0;  ///< number of the group that is open
  };
  /// Copies a word of shared memory waits for, by address modulo 256 KiB: more than a block has, so that a hit
  /// is nearly always one in truth.
  static constexpr std::size_t kWords = std::size_t{1} << 16;

  void mark(const Copy& copy, int change);
  const Copy* find(const std::byte* begin, std::size_t bytes, std::size_t* thread) const;

  std::vector<Queue> queues_;
  std::size_t in_flight_ = 0;
  std::vector<std::uint16_t> words_ = std::vector<std::uint16_t>(kWords);
};

/// Those of the block that runs on this host thread, once it has issued one; else null.
extern constinit thread_local const AsyncCopies* async_copies_in_flight;
/// "that thread 3's copy_async at x.cu:12 is still to write", of bytes that one is to write; else "".
std::string async_copy_in_flight(const void* address, std::size_t bytes);
/// A fault, with the line that reads, if any of the bytes is still to be written by a copy of any thread of the block.
GRAFT_CALL_APART void check_async_read_slowly(const void* address, std::size_t bytes);
[[gnu::always_inline]] inline void check_async_read(const void* address, std::size_t bytes) {
  if (async_copies_in_flight != nullptr && async_copies_in_flight->any()) check_async_read_slowly(address, bytes);
}

// What the scheduler calls.
inline void async_copies_begin_block() { async_copies_in_flight = nullptr; }
inline void async_copies_end_thread(std::size_t thread) {
  if (async_copies_in_flight != nullptr) async_copies_in_flight->end_thread(thread);
}

}  // namespace graft::cuda::emulator
