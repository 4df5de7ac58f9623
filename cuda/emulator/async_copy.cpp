#include "cuda/emulator/async_copy.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "cuda/emulator/memory_check.h"
#include "cuda/emulator/scheduler.h"
#include "cuda/emulator/source_line.h"

namespace graft::cuda::emulator {

constinit thread_local const AsyncCopies* async_copies_in_flight = nullptr;

namespace {

constexpr int kOnItsWay = 0xff;  // NaN in every floating dtype

AsyncCopies& copies() {
  thread_local AsyncCopies instance;
  return instance;
}

std::size_t word(const std::byte* address) { return reinterpret_cast<std::uintptr_t>(address) / 4; }

}  // namespace

void AsyncCopies::begin_block(std::size_t threads) {
  if (in_flight_ > 0) std::fill(words_.begin(), words_.end(), std::uint16_t{0});
  in_flight_ = 0;
  queues_.resize(threads);
  for (Queue& queue : queues_) {
    queue.copies.clear();
    queue.done = 0;
    queue.group = 0;
  }
}

void AsyncCopies::mark(const Copy& copy, int change) {
  const std::size_t first = word(copy.shared);
  for (std::size_t i = 0; i < copy.bytes / 4; ++i) {
    std::uint16_t& count = words_[(first + i) % kWords];
    count = static_cast<std::uint16_t>(count + change);
  }
}

const AsyncCopies::Copy* AsyncCopies::find(const std::byte* begin, std::size_t bytes, std::size_t* thread) const {
  bool possible = false;
  for (std::size_t i = word(begin); i <= word(begin + bytes - 1) && !possible; ++i) possible = words_[i % kWords] > 0;
  if (!possible) return nullptr;
  for (std::size_t t = 0; t < queues_.size(); ++t) {
    const Queue& queue = queues_[t];
    for (std::size_t i = queue.done; i < queue.copies.size(); ++i) {
      const Copy& copy = queue.copies[i];
      if (copy.shared < begin + bytes && begin < copy.shared + copy.bytes) {
        *thread = t;
        return &copy;
      }
    }
  }
  return nullptr;
}

void AsyncCopies::issue(void* shared, const void* global, std::size_t bytes, bool valid, const void* pc) {
  if (reinterpret_cast<std::uintptr_t>(shared) % bytes != 0 ||
      (valid && reinterpret_cast<std::uintptr_t>(global) % bytes != 0))
    kernel_fault(fmt::format("copy_async of {} bytes from {} to {}: both must be multiples of {}", bytes, global,
                             static_cast<const void*>(shared), bytes),
                 pc);
  check_dynamic_shared(shared, bytes, pc);
  const Copy copy{.shared = static_cast<std::byte*>(shared),
                  .global = static_cast<const std::byte*>(global),
                  .bytes = static_cast<std::uint32_t>(bytes),
                  .valid = valid,
                  .group = queues_[current_thread()].group,
                  .pc = pc};
  const std::string earlier = in_flight_ > 0 ? in_flight(shared, bytes) : "";
  if (!earlier.empty()) kernel_fault("copy_async to shared memory " + earlier, pc);
  if (valid) check_access(AccessKind::read, global, bytes, pc);
  check_copy_begins(shared, bytes, pc);
  std::memset(shared, kOnItsWay, bytes);
  queues_[current_thread()].copies.push_back(copy);
  mark(copy, 1);
  ++in_flight_;
}

void AsyncCopies::commit() { ++queues_[current_thread()].group; }

void AsyncCopies::wait(std::size_t groups_left) {
  Queue& queue = queues_[current_thread()];
  const std::uint64_t end = queue.group - std::min<std::uint64_t>(groups_left, queue.group);
  while (queue.done < queue.copies.size() && queue.copies[queue.done].group < end) {
    const Copy& copy = queue.copies[queue.done++];
    if (copy.valid) {
      std::memcpy(copy.shared, copy.global, copy.bytes);
    } else {
      std::memset(copy.shared, 0, copy.bytes);
    }
    check_copy_lands(copy.shared, copy.bytes, copy.pc);
    mark(copy, -1);
    --in_flight_;
  }
  if (queue.done == queue.copies.size()) {
    queue.copies.clear();
    queue.done = 0;
  } else if (queue.done >= 64 && queue.done * 2 >= queue.copies.size()) {
    queue.copies.erase(queue.copies.begin(), queue.copies.begin() + static_cast<std::ptrdiff_t>(queue.done));
    queue.done = 0;
  }
}

void AsyncCopies::end_thread(std::size_t thread) const {
  const Queue& queue = queues_[thread];
  if (queue.done == queue.copies.size()) return;
  kernel_fault(fmt::format("the thread ends with {} copies that it did not wait for, of which this is the first",
                           queue.copies.size() - queue.done),
               queue.copies[queue.done].pc);
}

std::string AsyncCopies::in_flight(const void* address, std::size_t bytes) const {
  std::size_t thread = 0;
  const Copy* copy = find(static_cast<const std::byte*>(address), bytes, &thread);
  if (copy == nullptr) return "";
  return fmt::format("that the copy_async of thread {} at {} is still to write", thread_text(thread),
                     source_line(copy->pc));
}

[[gnu::noinline]] void async_copy_issue(void* shared, const void* global, std::size_t bytes, bool valid) {
  AsyncCopies& here = copies();
  if (async_copies_in_flight == nullptr) {
    here.begin_block(threads_a_block());
    async_copies_in_flight = &here;
  }
  here.issue(shared, global, bytes, valid, __builtin_return_address(0));
}

void async_copy_commit() {
  if (async_copies_in_flight != nullptr) copies().commit();
}

void async_copy_wait(std::size_t groups_left) {
  if (async_copies_in_flight != nullptr) copies().wait(groups_left);
}

std::string async_copy_in_flight(const void* address, std::size_t bytes) {
  return async_copies_in_flight == nullptr ? "" : async_copies_in_flight->in_flight(address, bytes);
}

[[gnu::noinline]] void check_async_read_slowly(const void* address, std::size_t bytes) {
  const std::string copy = copies().in_flight(address, bytes);
  if (!copy.empty())
    kernel_fault(fmt::format("reads shared memory {}: wait for it there, then a barrier", copy),
                 __builtin_return_address(0));
}

}  // namespace graft::cuda::emulator
