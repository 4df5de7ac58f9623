#include "cuda/emulator/checked/checker.h"

#include <fmt/core.h>
#include <sys/mman.h>

#include <algorithm>
#include <memory>
#include <new>

#include "cuda/emulator/async_copy.h"
#include "cuda/emulator/checked/static_shared.h"
#include "cuda/emulator/device_plan.h"
#include "cuda/emulator/scheduler.h"
#include "cuda/emulator/source_line.h"

/// Where the program's file begins in memory: a symbol of the linker's.
extern "C" const char __ehdr_start;  // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

namespace graft::cuda::emulator::checked {

constinit thread_local bool looking = false;

namespace {

std::uint32_t short_pc(const void* pc) {
  return static_cast<std::uint32_t>(static_cast<const char*>(pc) - &__ehdr_start);
}
const void* long_pc(std::uint32_t pc) { return &__ehdr_start + pc; }

const char* verb(AccessKind kind) {
  switch (kind) {
    case AccessKind::read:
      return "reads";
    case AccessKind::write:
      return "writes";
    case AccessKind::atomic:
      return "changes";
  }
  return "";
}

/// What a host thread's kernels share: made when its first kernel runs.
struct HostThread {
  explicit HostThread(const LaunchView& launch)
      : dynamic(launch.shared - kSharedGap, kSharedBytes + 2 * kSharedGap),
        thread_local_begin(StaticShared::begin()),
        thread_local_memory(thread_local_begin, StaticShared::of_program().bytes) {
    for (const ThreadLocalVariable& variable : StaticShared::of_program().language)
      thread_local_memory.set(thread_local_begin + variable.offset, variable.bytes, ByteState::ignored);
  }

  Shadow dynamic;
  const std::byte* thread_local_begin;
  Shadow thread_local_memory;
};

thread_local std::unique_ptr<HostThread> host_thread;

}  // namespace

Arena& Arena::instance() {
  static Arena arena(device_plan().memory);
  return arena;
}

Arena::Arena(std::size_t bytes)
    : begin_([&] {
        // Twice the device's memory: gaps lie between blocks.
        void* memory =
            mmap(nullptr, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        return static_cast<std::byte*>(memory);
      }()),
      bytes_(2 * bytes),
      shadow_(begin_, bytes_) {}

void* Arena::allocate(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto end_of = [](std::byte* begin, std::size_t count) {
    return begin + (count + kGap - 1) / kGap * kGap + kGap;
  };
  std::byte* candidate = begin_ + kGap;
  for (const auto& [begin, count] : blocks_) {
    if (end_of(candidate, bytes) <= begin) break;
    candidate = end_of(begin, count);
  }
  if (end_of(candidate, bytes) > begin_ + bytes_) return nullptr;
  blocks_[candidate] = bytes;
  extents_[candidate] = bytes;
  shadow_.set(candidate, bytes, ByteState::unwritten);
  return candidate;
}

void Arena::free(void* address) {
  const std::lock_guard lock(mutex_);
  auto* begin = static_cast<std::byte*>(address);
  const auto block = blocks_.find(begin);
  if (block == blocks_.end()) return;
  shadow_.set(begin, block->second, ByteState::nothing);
  shadow_.forget(begin, block->second);
  madvise(begin, block->second, MADV_DONTNEED);
  blocks_.erase(block);
  extents_.erase(begin);
}

void Arena::set_extent(void* block, std::size_t bytes, std::size_t block_bytes) {
  auto* begin = static_cast<std::byte*>(block);
  const std::lock_guard lock(mutex_);
  extents_[begin] = bytes;
  shadow_.set(begin, bytes, ByteState::unwritten);
  shadow_.set(begin + bytes, block_bytes - bytes, ByteState::nothing);
}

std::string Arena::place(const void* address) const {
  const auto* at = static_cast<const std::byte*>(address);
  const std::lock_guard lock(mutex_);
  const auto after = std::find_if(extents_.begin(), extents_.end(), [&](const auto& e) { return e.first > at; });
  std::string text = "no block";
  std::ptrdiff_t nearest = PTRDIFF_MAX;
  if (after != extents_.begin()) {
    const auto& [begin, bytes] = *std::prev(after);
    nearest = at - (begin + bytes);
    text = bytes == 0 ? std::string("in a block that was given back")
                      : fmt::format("{} bytes behind the end of a block of {}", nearest, bytes);
  }
  if (after != extents_.end() && after->first - at < nearest)
    text = fmt::format("{} bytes before a block of {}", after->first - at, after->second);
  return text;
}

Checker& Checker::instance() {
  static Checker checker;
  return checker;
}

void Checker::begin_launch(const LaunchView& launch) {
  if (!host_thread) host_thread = std::make_unique<HostThread>(launch);
  launch_ = launch;
  dynamic_ = &host_thread->dynamic;
  thread_local_ = &host_thread->thread_local_memory;
  global_ = &Arena::instance().shadow();
  dynamic_->set(launch.shared - kSharedGap, kSharedBytes + 2 * kSharedGap, ByteState::nothing);
  clock_.begin_launch();
}

void Checker::begin_block() {
  clock_.begin_block(launch_.warps);
  dynamic_->set(launch_.shared, launch_.shared_bytes, ByteState::unwritten);
  for (const ThreadLocalVariable& variable : StaticShared::of_program().shared)
    thread_local_->set(host_thread->thread_local_begin + variable.offset, variable.bytes, ByteState::unwritten);
}

Checker::Region Checker::region(const void* address) {
  if (global_->contains(address)) return {global_, false};
  if (dynamic_->contains(address)) return {dynamic_, true};
  if (thread_local_->contains(address) && thread_local_->state(address) != ByteState::ignored)
    return {thread_local_, true};
  return {};  // the thread's own: its stack and its arguments; or constants
}

void Checker::access(AccessKind kind, const void* address, std::size_t bytes, const void* pc) {
  const Region where = region(address);
  if (where.shadow == nullptr) return;
  const bool write = kind == AccessKind::write;
  const std::size_t offset = where.shadow->offset(address);
  if (const auto bad = where.shadow->bad_byte(offset, bytes, write))
    report_bytes(where, kind, address, bytes, *bad, pc);
  note(where, kind, address, bytes, pc);
}

void Checker::note(const Region& region, AccessKind kind, const void* address, std::size_t bytes, const void* pc) {
  const auto thread = static_cast<std::uint32_t>(current_thread());
  Access access;
  access.pc = short_pc(pc);
  access.serial = clock_.serial();
  access.thread = thread & 1023u;
  access.atomic = kind == AccessKind::atomic ? 1 : 0;
  access.stamp = clock_.stamp(thread) & ((1u << 19) - 1);
  const std::size_t offset = region.shadow->offset(address);
  const bool write = kind != AccessKind::read;
  if (const auto other = region.shadow->note(offset, bytes, access, write, region.shared, clock_))
    report_race(region, kind, *other, pc);
  if (write) region.shadow->mark_written(offset, bytes);
}

void Checker::copy_begins(const void* address, std::size_t bytes, const void* pc) {
  const Region where = region(address);
  if (where.shadow == nullptr) return;
  access(AccessKind::write, address, bytes, pc);
  where.shadow->set(address, bytes, ByteState::on_its_way);
}

void Checker::copy_lands(const void* address, std::size_t bytes, const void* pc) {
  const Region where = region(address);
  if (where.shadow != nullptr) note(where, AccessKind::write, address, bytes, pc);
}

void Checker::report_bytes(const Region& region, AccessKind kind, const void* address, std::size_t bytes,
                           std::size_t bad, const void* pc) {
  const auto* at = static_cast<const std::byte*>(address) + bad;
  const char* memory = region.shared ? "shared memory" : "device memory";
  const ByteState state = region.shadow->contains(at) ? region.shadow->state(at) : ByteState::nothing;
  const std::string what = fmt::format("{} {} bytes of {}", verb(kind), bytes, memory);
  if (state == ByteState::on_its_way) kernel_fault_for_good(what + " " + async_copy_in_flight(at, 1), pc);
  if (state == ByteState::unwritten)
    kernel_fault_for_good(fmt::format("{}, of which byte {} was never written", what, bad), pc);
  std::string place;
  if (!region.shared) {
    place = Arena::instance().place(at);
  } else if (region.shadow == dynamic_) {
    place = fmt::format("byte {} of the {} bytes of dynamic shared memory", at - launch_.shared, launch_.shared_bytes);
  } else {
    place = "outside of all static shared arrays";
  }
  kernel_fault_for_good(fmt::format("{} out of bounds: {}", what, place), pc);
}

void Checker::report_race(const Region& region, AccessKind kind, const Access& other, const void* pc) {
  const char* memory = region.shared ? "shared memory" : "device memory";
  const std::string line = source_line(long_pc(other.pc));
  if (other.serial != clock_.serial()) {
    kernel_fault_for_good(
        fmt::format("hazard: {} {} that thread {} of block {} touches at {}: nothing orders the blocks of a launch",
                    verb(kind), memory, thread_text(other.thread), block_text(other.serial - clock_.first()), line),
        pc);
  }
  kernel_fault_for_good(fmt::format("hazard: {} {} that thread {} touches at {}: nothing orders the two", verb(kind),
                                    memory, thread_text(other.thread), line),
                        pc);
}

}  // namespace graft::cuda::emulator::checked

namespace graft::cuda::emulator {

namespace {
std::mutex launches;  // one at a time: the shadow of device memory serves all host threads
}

using checked::Checker;

void check_begin_launch(const LaunchView& launch) {
  launches.lock();
  Checker::instance().begin_launch(launch);
}
void check_end_launch() {
  checked::looking = false;
  launches.unlock();
}
void check_begin_block() {
  Checker::instance().begin_block();
  checked::looking = true;
}
void check_block_barrier() { Checker::instance().clock().meet_block(); }
void check_warp_barrier(std::size_t warp) { Checker::instance().clock().meet_warp(warp); }
void check_access(AccessKind kind, const void* address, std::size_t bytes, const void* pc) {
  if (checked::looking) Checker::instance().access(kind, address, bytes, pc);
}
void check_suspend() { checked::looking = false; }
void check_resume() { checked::looking = true; }
void check_copy_begins(const void* address, std::size_t bytes, const void* pc) {
  Checker::instance().copy_begins(address, bytes, pc);
}
void check_copy_lands(const void* address, std::size_t bytes, const void* pc) {
  Checker::instance().copy_lands(address, bytes, pc);
}

}  // namespace graft::cuda::emulator
