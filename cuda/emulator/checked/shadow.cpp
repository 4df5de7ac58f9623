#include "cuda/emulator/checked/shadow.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace graft::cuda::emulator::checked {

namespace {

void* map_zeros(std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return memory;
}

/// Gives back whole pages of zero-filled memory; what is left of the range keeps its bytes.
void drop_pages(void* begin, std::size_t bytes) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  const std::uintptr_t first = (address + page - 1) / page * page;
  const std::uintptr_t end = (address + bytes) / page * page;
  if (end > first) madvise(static_cast<std::byte*>(begin) + (first - address), end - first, MADV_DONTNEED);
}

std::size_t cells_of(std::size_t bytes) { return (bytes + kCellBytes - 1) / kCellBytes; }

/// `now` is at least as much of a danger to every later access as `before` was.
bool covers(const Access& now, const Access& before, bool alone, const Clock& clock) {
  if (before.serial == 0 || (alone && before.serial != now.serial)) return true;
  return clock.ordered(before, now.thread) && (before.bytes & ~now.bytes) == 0;
}

/// By one thread, with no meeting of its warp between the two.
bool same_moment(const Access& a, const Access& b) {
  return a.serial == b.serial && a.thread == b.thread && a.stamp == b.stamp;
}

void note_read(Cell& cell, const Access& access, bool alone, const Clock& clock) {
  for (Access& read : cell.read) {
    if (covers(access, read, alone, clock)) {
      read = access;
      return;
    }
  }
  const int apart = Clock::distance(cell.read[0], cell.read[1]);
  if (Clock::distance(access, cell.read[0]) > apart) {
    cell.read[1] = access;
  } else if (Clock::distance(access, cell.read[1]) > apart) {
    cell.read[0] = access;
  }
}

}  // namespace

void Clock::begin_block(std::size_t warps) {
  ++serial_;
  warps_ = warps;
  lost_ = false;
  stamp_.fill(0);
  met_.fill(0);
}

void Clock::meet_warp(std::size_t warp) {
  if (stamp_[warp] == kLastStamp) {
    lost_ = true;
  } else {
    ++stamp_[warp];
  }
}

void Clock::meet_block() {
  for (std::size_t warp = 0; warp < warps_; ++warp) {
    meet_warp(warp);
    met_[warp] = stamp_[warp];
  }
}

bool Clock::ordered(const Access& before, std::uint32_t thread) const {
  if (before.serial < first_ || lost_) return true;
  if (before.serial != serial_) return false;
  if (before.thread == thread) return true;
  const std::uint32_t warp = before.thread / kLanes;
  return before.stamp < met_[warp] || (warp == thread / kLanes && before.stamp < stamp_[warp]);
}

int Clock::distance(const Access& a, const Access& b) {
  if (a.serial != b.serial) return 3;
  if (a.thread / kLanes != b.thread / kLanes) return 2;
  return a.thread != b.thread ? 1 : 0;
}

Shadow::Shadow(const std::byte* begin, std::size_t bytes)
    : begin_(begin),
      bytes_(bytes),
      states_(static_cast<std::uint8_t*>(map_zeros(bytes))),
      cells_(static_cast<Cell*>(map_zeros(cells_of(bytes) * sizeof(Cell)))) {}

Shadow::~Shadow() {
  munmap(states_, bytes_);
  munmap(cells_, cells_of(bytes_) * sizeof(Cell));
}

void Shadow::set(const void* address, std::size_t bytes, ByteState state) {
  std::memset(states_ + offset(address), static_cast<int>(state), bytes);
}

void Shadow::copy_states(const void* to, const Shadow& other, const void* from, std::size_t bytes) {
  std::memmove(states_ + offset(to), other.states_ + other.offset(from), bytes);
}

void Shadow::forget(const void* address, std::size_t bytes) {
  drop_pages(cells_ + cells_of(offset(address)), bytes / kCellBytes * sizeof(Cell));
}

std::optional<std::size_t> Shadow::bad_byte(std::size_t offset, std::size_t bytes, bool write) const {
  const std::uint8_t* states = states_ + offset;
  const auto room = bytes_ - offset;
  for (std::size_t i = 0; i < bytes; ++i) {
    const auto state = i < room ? static_cast<ByteState>(states[i]) : ByteState::nothing;
    if (state != ByteState::written && !(write && state == ByteState::unwritten)) return i;
  }
  return std::nullopt;
}

void Shadow::mark_written(std::size_t offset, std::size_t bytes) {
  std::memset(states_ + offset, static_cast<int>(ByteState::written), bytes);
}

std::optional<Access> Shadow::note(std::size_t offset, std::size_t bytes, Access access, bool write, bool alone,
                                   const Clock& clock) {
  const auto races = [&](const Access& before) {
    if ((before.bytes & access.bytes) == 0 || (before.atomic != 0 && access.atomic != 0)) return false;
    return !(alone && before.serial != access.serial) && !clock.ordered(before, access.thread);
  };
  const std::size_t end = offset + bytes;
  for (std::size_t at = offset; at < end;) {
    Cell& cell = cells_[at / kCellBytes];
    const std::size_t next = std::min(end, at / kCellBytes * kCellBytes + kCellBytes);
    access.bytes = (next - at == kCellBytes ? 3u : 1u << (at % kCellBytes)) & 3u;
    if (races(cell.write)) return cell.write;
    if (write) {
      for (const Access& read : cell.read) {
        if (races(read)) return read;
      }
      // What is ordered before this write is so before all that is ordered after it; but what is plain must not be
      // forgotten for an atomic, with which other atomics do not race.
      if (access.bytes == 3u && access.atomic == 0) cell.read[0] = cell.read[1] = Access{};
      if (access.atomic == 0 || cell.write.atomic != 0 || !same_moment(cell.write, access)) cell.write = access;
    } else {
      note_read(cell, access, alone, clock);
    }
    at = next;
  }
  return std::nullopt;
}

}  // namespace graft::cuda::emulator::checked
