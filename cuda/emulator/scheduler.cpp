#include "cuda/emulator/scheduler.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <cstring>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "cuda/emulator/async_copy.h"
#include "cuda/emulator/source_line.h"
#include "engine/base/error.h"
#include "engine/base/philox.h"

namespace graft::cuda::emulator {

constinit thread_local uint3 threadIdx{};
constinit thread_local uint3 blockIdx{};
constinit thread_local dim3 blockDim{};
constinit thread_local dim3 gridDim{};

namespace {

namespace context = boost::context;

constexpr int kLanes = 32;
constexpr std::size_t kStackBytes = std::size_t{128} << 10;
constexpr std::size_t kMaxSharedBytes = std::size_t{227} << 10;  // what a block of sm_90 can have
constexpr int kMaxThreads = 1024;
constexpr int kUninitialised = 0xff;  // NaN in every floating dtype

/// Unwinds a thread whose kernel has done wrong.
struct Fault {};

enum class State : std::uint8_t { fresh, ready, at_block_barrier, at_warp_primitive, done };

struct Worker;

/// One CUDA thread of the running block.
struct Thread {
  uint3 index{};
  State state = State::fresh;
  Worker* worker = nullptr;  ///< on whose stack it sleeps
  const void* pc = nullptr;  ///< where it sleeps
};

/// Lanes that have come to a warp primitive.
struct Warp {
  WarpSlots slots{};
  int arrived = 0;
  const char* primitive = nullptr;
};

/// A fiber that runs threads: the next one on the same stack when one ends without having slept.
struct Worker {
  context::fiber fiber;
};

/// What one host thread runs blocks with. Stacks are kept from launch to launch.
class BlockRunner {
 public:
  BlockRunner() : shared_(std::make_unique<SharedMemory>()) {}

  void run_grid(const GridShape& shape, const ThreadOrder& order, const std::function<void()>& thread);

  std::size_t current() const { return current_; }
  std::size_t threads() const { return threads_.size(); }
  void* shared() { return shared_->bytes; }
  void check_dynamic_shared(const void* address, std::size_t bytes, const void* pc);
  void sleep(State state, const void* pc);
  void rendezvous(const char* name, unsigned mask, void* slot, void (*complete)(const WarpSlots&), const void* pc);
  [[noreturn]] void fault(const std::string& what, const void* pc);

 private:
  struct SharedMemory {
    alignas(1024) std::byte bytes[kMaxSharedBytes];
  };

  void run_block();
  void run_warp(std::size_t warp);
  void resume(std::size_t index);
  void work(Worker& self);
  void switch_to_scheduler();
  void order_lanes(std::vector<std::size_t>& order, std::size_t count);
  void report_stuck();
  std::string describe(std::size_t index, const void* pc) const;

  std::unique_ptr<SharedMemory> shared_;
  const GridShape* shape_ = nullptr;
  const std::function<void()>* thread_ = nullptr;
  ThreadOrder order_;
  std::uint64_t shuffles_ = 0;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<std::size_t> warp_order_;
  std::vector<std::size_t> lane_order_;
  std::size_t warp_begin_ = 0;  ///< first thread of the running warp
  std::size_t cursor_ = 0;      ///< position in lane_order_
  std::size_t current_ = 0;     ///< the running thread
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;
  context::fiber scheduler_;
  std::string fault_;
};

BlockRunner& runner() {
  thread_local const auto instance = std::make_unique<BlockRunner>();
  return *instance;
}

uint3 position(std::uint64_t index, const dim3& extents) {
  const auto x = static_cast<unsigned>(index % extents.x);
  const auto y = static_cast<unsigned>(index / extents.x % extents.y);
  return {x, y, static_cast<unsigned>(index / extents.x / extents.y)};
}

std::uint64_t volume(const dim3& extents) { return std::uint64_t{extents.x} * extents.y * extents.z; }

void BlockRunner::order_lanes(std::vector<std::size_t>& order, std::size_t count) {
  order.resize(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (order_.kind == ThreadOrder::Kind::descending) std::reverse(order.begin(), order.end());
  if (order_.kind == ThreadOrder::Kind::random) {
    const RandomStream random{order_.seed, stream_of("thread order")};
    const std::uint64_t step = shuffles_++;
    for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(step, i, i)]);
  }
}

void BlockRunner::run_grid(const GridShape& shape, const ThreadOrder& order, const std::function<void()>& thread) {
  const std::uint64_t threads = volume(shape.block);
  check(threads > 0 && threads <= kMaxThreads, "[emulator] {}: {} threads a block: give 1 to {}", shape.kernel, threads,
        kMaxThreads);
  check(threads % kLanes == 0, "[emulator] {}: {} threads a block: give a multiple of 32, warps are whole here",
        shape.kernel, threads);
  check(volume(shape.grid) > 0, "[emulator] {}: an empty grid", shape.kernel);
  check(shape.grid.y <= 65535 && shape.grid.z <= 65535, "[emulator] {}: grid of {} x {} x {}: y and z end at 65535",
        shape.kernel, shape.grid.x, shape.grid.y, shape.grid.z);
  check(shape.shared_bytes <= kMaxSharedBytes, "[emulator] {}: {} bytes of shared memory: a block has at most {}",
        shape.kernel, shape.shared_bytes, kMaxSharedBytes);
  shape_ = &shape;
  thread_ = &thread;
  order_ = order;
  shuffles_ = 0;
  gridDim = shape.grid;
  blockDim = shape.block;
  threads_.resize(threads);
  warps_.resize(threads / kLanes);
  const std::uint64_t blocks = volume(shape.grid);
  for (std::uint64_t block = 0; block < blocks; ++block) {
    blockIdx = position(block, shape.grid);
    run_block();
  }
}

void BlockRunner::run_block() {
  async_copies_begin_block();
  std::memset(shared_->bytes, kUninitialised, shape_->shared_bytes);
  for (std::size_t i = 0; i < threads_.size(); ++i) threads_[i] = {.index = position(i, shape_->block)};
  std::fill(warps_.begin(), warps_.end(), Warp{});
  for (;;) {
    order_lanes(warp_order_, warps_.size());
    for (const std::size_t warp : warp_order_) run_warp(warp);
    const auto at_barrier = static_cast<std::size_t>(std::count_if(
        threads_.begin(), threads_.end(), [](const Thread& t) { return t.state == State::at_block_barrier; }));
    if (at_barrier == 0 &&
        std::all_of(threads_.begin(), threads_.end(), [](const Thread& t) { return t.state == State::done; })) {
      return;
    }
    if (at_barrier < threads_.size()) report_stuck();
    for (Thread& thread : threads_) thread.state = State::ready;
  }
}

/// Runs the lanes of a warp until each has ended or waits at a barrier of the block.
void BlockRunner::run_warp(std::size_t warp) {
  warp_begin_ = warp * kLanes;
  for (bool moved = true; moved;) {
    moved = false;
    order_lanes(lane_order_, kLanes);
    for (cursor_ = 0; cursor_ < kLanes;) {
      const std::size_t index = warp_begin_ + lane_order_[cursor_++];
      const State state = threads_[index].state;
      if (state != State::fresh && state != State::ready) continue;
      moved = true;
      resume(index);
    }
  }
}

void BlockRunner::resume(std::size_t index) {
  Thread& thread = threads_[index];
  if (thread.state == State::fresh) {
    if (idle_.empty()) {
      workers_.push_back(std::make_unique<Worker>());
      Worker* worker = workers_.back().get();
      worker->fiber = context::fiber(std::allocator_arg, context::protected_fixedsize_stack(kStackBytes),
                                     [this, worker](context::fiber&& scheduler) {
                                       scheduler_ = std::move(scheduler);
                                       work(*worker);
                                       return std::move(scheduler_);
                                     });
      idle_.push_back(worker);
    }
    thread.worker = idle_.back();
    idle_.pop_back();
  }
  Worker* worker = thread.worker;
  current_ = index;
  threadIdx = thread.index;
  context::fiber rest = std::move(worker->fiber).resume();
  // `rest` is the fiber that came back: a thread that slept, or a worker that has nothing to do.
  if (rest) worker->fiber = std::move(rest);
  if (!fault_.empty()) {
    const std::string message = std::exchange(fault_, {});
    // What sleeps holds frames of the failed kernel: away with all stacks.
    idle_.clear();
    workers_.clear();
    throw Error(message);
  }
}

void BlockRunner::switch_to_scheduler() { scheduler_ = std::move(scheduler_).resume(); }

/// The life of a worker: a thread, and, as long as threads end without sleeping, the next fresh one of the warp.
void BlockRunner::work(Worker& self) {
  for (;;) {
    threads_[current_].worker = &self;
    bool failed = false;
    try {
      (*thread_)();
      async_copies_end_thread(current_);
    } catch (const Fault&) {
      failed = true;  // leave the handler first: exceptions in flight are counted by host thread, not by stack
    }
    if (failed) switch_to_scheduler();
    threads_[current_].state = State::done;
    if (cursor_ < kLanes && threads_[warp_begin_ + lane_order_[cursor_]].state == State::fresh) {
      current_ = warp_begin_ + lane_order_[cursor_++];
      threadIdx = threads_[current_].index;
      continue;
    }
    idle_.push_back(&self);
    switch_to_scheduler();
  }
}

void BlockRunner::sleep(State state, const void* pc) {
  Thread& thread = threads_[current_];
  thread.state = state;
  thread.pc = pc;
  switch_to_scheduler();
}

void BlockRunner::rendezvous(const char* name, unsigned mask, void* slot, void (*complete)(const WarpSlots&),
                             const void* pc) {
  if (mask != 0xffffffffu) fault(fmt::format("{} with mask {:#x}: graft's kernels use whole warps", name, mask), pc);
  Warp& warp = warps_[current_ / kLanes];
  if (warp.arrived > 0 && std::strcmp(warp.primitive, name) != 0)
    fault(fmt::format("this lane is at {}, another of its warp at {}", name, warp.primitive), pc);
  warp.primitive = name;
  warp.slots[current_ % kLanes] = slot;
  if (++warp.arrived < kLanes) return sleep(State::at_warp_primitive, pc);
  warp.arrived = 0;
  if (complete != nullptr) complete(warp.slots);
  const std::size_t begin = current_ / kLanes * kLanes;
  for (std::size_t i = begin; i < begin + kLanes; ++i) {
    if (i != current_) threads_[i].state = State::ready;
  }
}

std::string BlockRunner::describe(std::size_t index, const void* pc) const {
  const uint3 thread = threads_[index].index;
  return fmt::format("[emulator] kernel {}, block ({}, {}, {}), thread ({}, {}, {}), {}", shape_->kernel, blockIdx.x,
                     blockIdx.y, blockIdx.z, thread.x, thread.y, thread.z, source_line(pc));
}

void BlockRunner::fault(const std::string& what, const void* pc) {
  fault_ = describe(current_, pc) + ": " + what;
  throw Fault{};
}

void BlockRunner::check_dynamic_shared(const void* address, std::size_t bytes, const void* pc) {
  const auto* begin = static_cast<const std::byte*>(address);
  if (begin + bytes <= shared_->bytes || begin >= shared_->bytes + kMaxSharedBytes) return;
  if (begin >= shared_->bytes && begin + bytes <= shared_->bytes + shape_->shared_bytes) return;
  fault(fmt::format("{} bytes at byte {} of the {} bytes of dynamic shared memory", bytes, begin - shared_->bytes,
                    shape_->shared_bytes),
        pc);
}

/// Nobody can go on: says who waits where, and for whom.
void BlockRunner::report_stuck() {
  std::size_t waiting = threads_.size();
  std::size_t done = threads_.size();
  std::size_t elsewhere = threads_.size();
  for (std::size_t i = threads_.size(); i-- > 0;) {
    if (threads_[i].state == State::done) done = i;
    if (threads_[i].state == State::at_block_barrier) elsewhere = i;
  }
  for (std::size_t i = threads_.size(); i-- > 0;) {
    if (threads_[i].state == State::at_warp_primitive) waiting = i;
  }
  std::string message;
  if (waiting < threads_.size()) {
    const std::size_t begin = waiting / kLanes * kLanes;
    std::size_t missing = begin;
    while (threads_[missing].state == State::at_warp_primitive) ++missing;
    message = fmt::format("{}: {} is not reached by all lanes of its warp: lane {} {}",
                          describe(waiting, threads_[waiting].pc), warps_[waiting / kLanes].primitive, missing - begin,
                          threads_[missing].state == State::done
                              ? std::string("has ended")
                              : "waits at a barrier of the block at " + source_line(threads_[missing].pc));
  } else {
    message = fmt::format("{}: a barrier of the block is not reached by all threads: thread {} has ended",
                          describe(elsewhere, threads_[elsewhere].pc), done);
  }
  idle_.clear();
  workers_.clear();
  throw Error(message);
}

}  // namespace

void run_grid(const GridShape& shape, const ThreadOrder& order, const std::function<void()>& thread) {
  runner().run_grid(shape, order, thread);
}

std::size_t current_thread() { return runner().current(); }
int lane() { return static_cast<int>(runner().current() % kLanes); }
std::size_t threads_a_block() { return runner().threads(); }
void check_dynamic_shared(const void* address, std::size_t bytes, const void* pc) {
  runner().check_dynamic_shared(address, bytes, pc);
}
void* dynamic_shared_memory() { return runner().shared(); }

[[gnu::noinline]] void block_barrier() { runner().sleep(State::at_block_barrier, __builtin_return_address(0)); }

[[gnu::noinline]] void warp_barrier(unsigned mask) {
  runner().rendezvous("__syncwarp", mask, nullptr, nullptr, __builtin_return_address(0));
}

[[gnu::noinline]] void warp_rendezvous(const char* name, unsigned mask, void* slot,
                                       void (*complete)(const WarpSlots& slots)) {
  runner().rendezvous(name, mask, slot, complete, __builtin_return_address(0));
}

unsigned warp_ballot(unsigned mask, bool predicate) {
  struct Slot {
    bool predicate;
    unsigned result;
  };
  Slot mine{predicate, 0};
  warp_rendezvous("__ballot_sync", mask, &mine, [](const WarpSlots& slots) {
    unsigned bits = 0;
    for (std::size_t i = 0; i < slots.size(); ++i)
      bits |= static_cast<unsigned>(static_cast<const Slot*>(slots[i])->predicate) << i;
    for (void* slot : slots) static_cast<Slot*>(slot)->result = bits;
  });
  return mine.result;
}

void kernel_fault(const std::string& what, const void* pc) { runner().fault(what, pc); }

}  // namespace graft::cuda::emulator
