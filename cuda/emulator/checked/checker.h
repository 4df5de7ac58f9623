#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "cuda/emulator/checked/shadow.h"
#include "cuda/emulator/memory_check.h"

namespace graft::cuda::emulator::checked {

/// Device memory of the checked build: one range of addresses, so that every address in it that nobody was given is
/// found out. Blocks lie at least kGap bytes apart.
class Arena {
 public:
  static Arena& instance();

  void* allocate(std::size_t bytes);
  void free(void* address);
  /// Blocks as kernels may touch them: what a pool has given out, where a pool has divided one.
  void set_extent(void* block, std::size_t bytes, std::size_t block_bytes);
  /// "12 bytes behind a block of 400 bytes", for an address in the arena that lies in no block.
  std::string place(const void* address) const;
  Shadow& shadow() { return shadow_; }

 private:
  explicit Arena(std::size_t bytes);

  static constexpr std::size_t kGap = 4096;

  std::byte* begin_;
  std::size_t bytes_;
  Shadow shadow_;
  mutable std::mutex mutex_;
  std::map<std::byte*, std::size_t> blocks_;   ///< begin and bytes
  std::map<std::byte*, std::size_t> extents_;  ///< what of each may be touched
};

/// Looks at every access of the kernel that runs. One for the process: launches take turns.
class Checker {
 public:
  static Checker& instance();

  void begin_launch(const LaunchView& launch);
  void begin_block();
  Clock& clock() { return clock_; }
  const LaunchView& launch() const { return launch_; }

  /// Reports what is wrong with the access, if anything: then it does not return.
  void access(AccessKind kind, const void* address, std::size_t bytes, const void* pc);
  void copy_begins(const void* address, std::size_t bytes, const void* pc);
  void copy_lands(const void* address, std::size_t bytes, const void* pc);

 private:
  /// Where an address lies.
  struct Region {
    Shadow* shadow = nullptr;
    bool shared = false;
  };
  Region region(const void* address);
  void note(const Region& region, AccessKind kind, const void* address, std::size_t bytes, const void* pc);
  [[noreturn]] void report_bytes(const Region& region, AccessKind kind, const void* address, std::size_t bytes,
                                 std::size_t bad, const void* pc);
  [[noreturn]] void report_race(const Region& region, AccessKind kind, const Access& other, const void* pc);

  Clock clock_;
  LaunchView launch_;
  Shadow* dynamic_ = nullptr;       ///< of the dynamic shared memory of the host thread that runs the launch
  Shadow* thread_local_ = nullptr;  ///< of its static shared memory
  Shadow* global_ = nullptr;
};

/// True while a kernel runs on this host thread and its accesses are looked at.
extern constinit thread_local bool looking;

}  // namespace graft::cuda::emulator::checked
