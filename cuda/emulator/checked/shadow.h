#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

// What the checked build knows of each byte that kernels share, and of who touched it last.

namespace graft::cuda::emulator::checked {

/// Of one byte.
enum class ByteState : std::uint8_t {
  nothing = 0,    ///< no memory that a kernel may touch
  unwritten = 1,  ///< nobody has written it
  written = 2,
  on_its_way = 3,  ///< a copy_async is still to write it
  ignored = 4      ///< the emulator's own
};

/// One access of a thread, as it is remembered. All zeros: none.
struct Access {
  std::uint32_t pc = 0;      ///< behind the access, counted from the program's first byte
  std::uint32_t serial = 0;  ///< of the block: blocks are numbered through over all launches, from 1
  std::uint32_t thread : 10 = 0;
  std::uint32_t bytes : 2 = 0;  ///< which bytes of the cell: a bit each
  std::uint32_t atomic : 1 = 0;
  std::uint32_t stamp : 19 = 0;  ///< how often the thread's warp had met before
};

/// Who touched two neighbouring bytes: the latest write, and two reads that nothing has ordered since. Two are enough
/// to find every write that races with a read, if they are as far apart as any: in two blocks rather than in two
/// warps, in two warps rather than in two lanes.
struct Cell {
  Access write;
  Access read[2];
};
inline constexpr std::size_t kCellBytes = 2;

/// Which accesses come before which, in the block that runs.
class Clock {
 public:
  void begin_launch() { first_ = serial_ + 1; }
  void begin_block(std::size_t warps);
  void meet_block();
  void meet_warp(std::size_t warp);

  std::uint32_t serial() const { return serial_; }
  std::uint32_t first() const { return first_; }
  std::uint32_t stamp(std::uint32_t thread) const { return stamp_[thread / kLanes]; }
  /// True iff `before` is over before anything that `thread` of the running block does now.
  bool ordered(const Access& before, std::uint32_t thread) const;
  /// How far apart two accesses are: 0 the same thread, 1 two lanes, 2 two warps, 3 two blocks.
  static int distance(const Access& a, const Access& b);

 private:
  static constexpr std::uint32_t kLanes = 32;
  static constexpr std::uint32_t kLastStamp =
      (1u << 19) - 1;  // nothing is ordered wrongly by a block that lasts longer

  std::uint32_t serial_ = 0;
  std::uint32_t first_ = 1;
  std::size_t warps_ = 0;
  bool lost_ = false;  ///< stamps have run out: everything counts as ordered
  std::array<std::uint32_t, 32> stamp_{};
  std::array<std::uint32_t, 32> met_{};  ///< the stamp at the block's latest barrier
};

/// Bookkeeping for `bytes` of memory from `begin`. Its own memory is taken as it is touched.
class Shadow {
 public:
  Shadow(const std::byte* begin, std::size_t bytes);
  ~Shadow();
  Shadow(const Shadow&) = delete;
  Shadow& operator=(const Shadow&) = delete;

  bool contains(const void* address) const {
    return static_cast<std::size_t>(static_cast<const std::byte*>(address) - begin_) < bytes_;
  }
  std::size_t offset(const void* address) const {
    return static_cast<std::size_t>(static_cast<const std::byte*>(address) - begin_);
  }
  void set(const void* address, std::size_t bytes, ByteState state);
  ByteState state(const void* address) const { return static_cast<ByteState>(states_[offset(address)]); }
  void copy_states(const void* to, const Shadow& other, const void* from, std::size_t bytes);
  /// Gives back the memory that the bookkeeping of these bytes takes.
  void forget(const void* address, std::size_t bytes);

  /// The first byte of these, from `offset`, that may not be read (or written), or none.
  std::optional<std::size_t> bad_byte(std::size_t offset, std::size_t bytes, bool write) const;
  void mark_written(std::size_t offset, std::size_t bytes);
  /// Notes the access; returns one by another thread that it races with. `alone`: other blocks cannot touch the memory.
  std::optional<Access> note(std::size_t offset, std::size_t bytes, Access access, bool write, bool alone,
                             const Clock& clock);

 private:
  const std::byte* begin_;
  std::size_t bytes_;
  std::uint8_t* states_;
  Cell* cells_;
};

}  // namespace graft::cuda::emulator::checked
