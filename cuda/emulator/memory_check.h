#pragma once

#include <cstddef>
#include <cstdint>

// What the checked build (GRAFT_EMULATOR_CHECKED, cuda/emulator/checked) is told by the emulator. Nothing, at no cost,
// in the other builds.

namespace graft::cuda::emulator {

/// True in the checked build.
inline constexpr bool kChecked =
#ifdef GRAFT_EMULATOR_CHECKED
    true;
#else
    false;
#endif

/// Dynamic shared memory: what a block of sm_90 can have, and what lies unused on both sides of it, so that a kernel
/// that leaves it is found out.
inline constexpr std::size_t kSharedBytes = std::size_t{227} << 10;
inline constexpr std::size_t kSharedGap = std::size_t{64} << 10;

/// What a thread does to memory.
enum class AccessKind : std::uint8_t { read, write, atomic };

/// What the checker has to know of the running launch.
struct LaunchView {
  std::byte* shared = nullptr;   ///< kSharedBytes of dynamic shared memory, between two gaps
  std::size_t shared_bytes = 0;  ///< that this launch asked for
  std::size_t warps = 0;         ///< of a block
};

#ifdef GRAFT_EMULATOR_CHECKED
// By the scheduler. One launch at a time is between begin and end, whatever host thread it runs on.
void check_begin_launch(const LaunchView& launch);
void check_end_launch();
void check_begin_block();
/// All threads of the block, or the lanes of one warp, have waited for each other.
void check_block_barrier();
void check_warp_barrier(std::size_t warp);

/// An access by the running thread that is not compiled into the kernel. `pc` as return addresses are.
void check_access(AccessKind kind, const void* address, std::size_t bytes, const void* pc);
/// Between the two the kernel's own loads and stores are not looked at.
void check_suspend();
void check_resume();
/// A copy_async to shared memory is on its way; it has landed, written by the running thread.
void check_copy_begins(const void* address, std::size_t bytes, const void* pc);
void check_copy_lands(const void* address, std::size_t bytes, const void* pc);
#else
inline void check_begin_launch(const LaunchView& /*launch*/) {}
inline void check_end_launch() {}
inline void check_begin_block() {}
inline void check_block_barrier() {}
inline void check_warp_barrier(std::size_t /*warp*/) {}
inline void check_access(AccessKind /*kind*/, const void* /*address*/, std::size_t /*bytes*/, const void* /*pc*/) {}
inline void check_suspend() {}
inline void check_resume() {}
inline void check_copy_begins(const void* /*address*/, std::size_t /*bytes*/, const void* /*pc*/) {}
inline void check_copy_lands(const void* /*address*/, std::size_t /*bytes*/, const void* /*pc*/) {}
#endif

/// What this build's emulator finds out, and what it does not: a few lines of text, for `graft devices` and for tests.
const char* checks_of_this_build();

}  // namespace graft::cuda::emulator
