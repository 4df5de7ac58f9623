#include "cuda/emulator/scheduler.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "cuda/emulator/async_copy.h"
#include "cuda/emulator/fiber.h"
#include "cuda/emulator/memory_check.h"
#include "cuda/emulator/sanitizer.h"
#include "cuda/emulator/source_line.h"
#include "engine/base/error.h"
#include "engine/base/philox.h"

constinit thread_local graft::cuda::emulated::uint3 threadIdx{};
constinit thread_local graft::cuda::emulated::uint3 blockIdx{};
constinit thread_local graft::cuda::emulated::dim3 blockDim{};
constinit thread_local graft::cuda::emulated::dim3 gridDim{};

namespace graft::cuda::emulator {

namespace {

constexpr std::size_t kLanes = 32;
constexpr unsigned kMaxThreads = 1024;
constexpr int kUninitialised = 0xff;  // NaN in every floating dtype

/// Unwinds a thread whose kernel has done wrong.
struct Fault {};

enum class State : std::uint8_t { fresh, ready, running, at_block_barrier, at_warp_primitive, done };

/// One CUDA thread of the running block.
struct Thread {
  uint3 index{};
  State state = State::fresh;
  Fiber* fiber = nullptr;    ///< on whose stack it runs or sleeps
  const void* pc = nullptr;  ///< where it sleeps
};

using Complete = void (*)(const WarpSlots& slots);

/// Lanes that have come to a warp primitive.
struct Warp {
  WarpSlots slots{};
  std::size_t arrived = 0;
  const char* primitive = nullptr;
  Complete complete = nullptr;
  const void* pc = nullptr;  ///< of the lane that came first
  CallSite site{};           ///< of the same
};

std::uint64_t volume(const dim3& extents) { return std::uint64_t{extents.x} * extents.y * extents.z; }

uint3 position(std::uint64_t index, const dim3& extents) {
  return {static_cast<unsigned>(index % extents.x), static_cast<unsigned>(index / extents.x % extents.y),
          static_cast<unsigned>(index / extents.x / extents.y)};
}

std::string text(const uint3& at) { return fmt::format("({}, {}, {})", at.x, at.y, at.z); }

/// The order in which a launch's blocks, a block's warps and a warp's lanes are run.
class Sequence {
 public:
  Sequence(const ThreadOrder& order, std::uint64_t blocks) : order_(order), blocks_(blocks) {
    if (order.kind != ThreadOrder::Kind::random) return;
    // i -> (factor * i + offset) mod blocks takes every value once where factor and blocks have no common divisor.
    offset_ = draw() % blocks;
    factor_ = draw() % std::min(blocks, std::uint64_t{1} << 32) + 1;
    while (std::gcd(factor_, blocks) != 1) ++factor_;
  }

  std::uint64_t block(std::uint64_t turn) const {
    if (order_.kind == ThreadOrder::Kind::descending) return blocks_ - 1 - turn;
    return (turn * factor_ + offset_) % blocks_;
  }

  /// The numbers below `count`, drawn anew at every call where the order is random.
  void fill(std::vector<std::size_t>& numbers, std::size_t count) {
    if (numbers.size() != count || order_.kind == ThreadOrder::Kind::random || !filled_with(numbers)) {
      numbers.resize(count);
      std::iota(numbers.begin(), numbers.end(), std::size_t{0});
      if (order_.kind == ThreadOrder::Kind::descending) std::reverse(numbers.begin(), numbers.end());
    }
    if (order_.kind != ThreadOrder::Kind::random) return;
    for (std::size_t i = count; i > 1; --i) std::swap(numbers[i - 1], numbers[draw() % i]);
  }

 private:
  bool filled_with(const std::vector<std::size_t>& numbers) const {
    return numbers.front() == (order_.kind == ThreadOrder::Kind::descending ? numbers.size() - 1 : 0);
  }
  std::uint64_t draw() { return mix_bits(order_.seed + 0x9e3779b97f4a7c15u * ++drawn_); }

  ThreadOrder order_;
  std::uint64_t blocks_;
  std::uint64_t drawn_ = 0;
  std::uint64_t factor_ = 1;
  std::uint64_t offset_ = 0;
};

/// What one host thread runs blocks with. Stacks are kept from launch to launch.
class BlockRunner {
 public:
  void run_grid(const GridShape& shape, const ThreadOrder& order, const std::function<void()>& thread);

  std::size_t current() const { return current_; }
  std::size_t threads() const { return threads_.size(); }
  void* shared() { return shared_->bytes; }
  void check_dynamic_shared(const void* address, std::size_t bytes, const void* pc);
  void block_barrier(CallSite site, const void* pc);
  void rendezvous(const char* name, unsigned mask, void* slot, Complete complete, CallSite site, const void* pc);
  [[noreturn]] void fault(const std::string& what, const void* pc);
  [[noreturn]] void fault_for_good(const std::string& what, const void* pc);
  std::string where() const {
    return fmt::format("kernel {}, block {}, thread {}", shape_->kernel, text(blockIdx), thread_text(current_));
  }
  std::string thread_text(std::size_t thread) const { return text(threads_[thread].index); }
  std::string block_text(std::uint64_t turn) const { return text(position(sequence_->block(turn), shape_->grid)); }

 private:
  struct SharedMemory {
    SharedMemory() { forbid_bytes(this, sizeof *this); }
    ~SharedMemory() { allow_bytes(this, sizeof *this); }
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    std::byte before[kSharedGap];
    alignas(1024) std::byte bytes[kSharedBytes];
    std::byte behind[kSharedGap];
  };

  void run_block(Sequence& sequence);
  void run_warp(std::size_t warp);
  bool next();
  Fiber& fiber_of_current();
  void run_threads(Fiber& self);
  void sleep(State state, const void* pc);
  void check_failed();
  void report_stuck();
  std::string describe(std::size_t index, const void* pc) const;

  std::unique_ptr<SharedMemory> shared_ = std::make_unique<SharedMemory>();
  const GridShape* shape_ = nullptr;
  const std::function<void()>* thread_ = nullptr;
  Sequence* sequence_ = nullptr;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<std::size_t> warp_order_;
  std::vector<std::size_t> lane_order_;
  std::size_t warp_begin_ = 0;        ///< first thread of the running warp
  std::size_t cursor_ = 0;            ///< position in lane_order_
  std::size_t runnable_ = 0;          ///< lanes of the running warp that are fresh or ready
  std::size_t current_ = 0;           ///< the running thread
  std::size_t at_barrier_ = 0;        ///< threads of the block that wait at its barrier
  const void* barrier_pc_ = nullptr;  ///< where the first of them waits
  CallSite barrier_site_{};           ///< where that is written
  std::size_t done_ = 0;              ///< threads that have ended
  Fiber host_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_;
  std::string fault_;
  std::exception_ptr exception_;
};

BlockRunner& own_runner() {
  thread_local const auto instance = std::make_unique<BlockRunner>();
  return *instance;
}

/// The one whose kernel runs on this host thread.
constinit thread_local BlockRunner* runner = nullptr;

void check_shape(const GridShape& shape) {
  const std::uint64_t threads = volume(shape.block);
  check(threads > 0 && threads <= kMaxThreads && shape.block.z <= 64,
        "[emulator] {}: a block of {} x {} x {} threads: give 1 to {}, at most 64 in z", shape.kernel, shape.block.x,
        shape.block.y, shape.block.z, kMaxThreads);
  check(threads % kLanes == 0, "[emulator] {}: {} threads a block: give a multiple of 32, warps are whole here",
        shape.kernel, threads);
  check(volume(shape.grid) > 0, "[emulator] {}: an empty grid", shape.kernel);
  check(shape.grid.x <= 0x7fffffff && shape.grid.y <= 65535 && shape.grid.z <= 65535,
        "[emulator] {}: a grid of {} x {} x {} blocks: x ends at 2^31 - 1, y and z at 65535", shape.kernel,
        shape.grid.x, shape.grid.y, shape.grid.z);
  check(shape.shared_bytes <= kSharedBytes, "[emulator] {}: {} bytes of shared memory: a block has at most {}",
        shape.kernel, shape.shared_bytes, kSharedBytes);
}

void BlockRunner::run_grid(const GridShape& shape, const ThreadOrder& order, const std::function<void()>& thread) {
  check(runner == nullptr, "[emulator] {}: launched by a kernel", shape.kernel);
  check_shape(shape);
  const std::uint64_t blocks = volume(shape.grid);
  Sequence sequence(order, blocks);
  shape_ = &shape;
  thread_ = &thread;
  sequence_ = &sequence;
  gridDim = shape.grid;
  blockDim = shape.block;
  threads_.resize(volume(shape.block));
  warps_.resize(threads_.size() / kLanes);
  for (std::size_t i = 0; i < threads_.size(); ++i) threads_[i].index = position(i, shape.block);
  struct Running {
    Running(BlockRunner* self, const LaunchView& launch) {
      check_begin_launch(launch);
      allow_bytes(launch.shared, launch.shared_bytes);
      runner = self;
    }
    ~Running() {
      forbid_bytes(runner->shared(), kSharedBytes);
      runner = nullptr;
      check_end_launch();
    }
  } const running(this, {.shared = shared_->bytes, .shared_bytes = shape.shared_bytes, .warps = warps_.size()});
  for (std::uint64_t turn = 0; turn < blocks; ++turn) {
    blockIdx = position(sequence.block(turn), shape.grid);
    run_block(sequence);
  }
}

void BlockRunner::run_block(Sequence& sequence) {
  async_copies_begin_block();
  std::memset(shared_->bytes, kUninitialised, shape_->shared_bytes);
  for (Thread& thread : threads_) thread.state = State::fresh;
  for (Warp& warp : warps_) warp.arrived = 0;
  done_ = 0;
  check_begin_block();
  for (;;) {
    at_barrier_ = 0;
    barrier_pc_ = nullptr;
    sequence.fill(warp_order_, warps_.size());
    for (const std::size_t warp : warp_order_) run_warp(warp);
    if (done_ == threads_.size()) return;
    if (at_barrier_ < threads_.size()) report_stuck();
    check_block_barrier();
    for (Thread& thread : threads_) thread.state = State::ready;
  }
}

/// Runs the lanes of a warp, all of which can run, until each has ended or waits at a barrier of the block.
void BlockRunner::run_warp(std::size_t warp) {
  warp_begin_ = warp * kLanes;
  runnable_ = kLanes;
  cursor_ = kLanes;
  if (!next()) return;
  Fiber::switch_over(host_, fiber_of_current());
  check_failed();
}

/// Makes the next lane that can run the current thread. False if there is none in the warp.
bool BlockRunner::next() {
  while (runnable_ > 0) {
    if (cursor_ == kLanes) {
      sequence_->fill(lane_order_, kLanes);
      cursor_ = 0;
    }
    const std::size_t index = warp_begin_ + lane_order_[cursor_++];
    Thread& thread = threads_[index];
    if (thread.state != State::fresh && thread.state != State::ready) continue;
    if (thread.state == State::fresh) thread.fiber = nullptr;
    thread.state = State::running;
    --runnable_;
    current_ = index;
    threadIdx = thread.index;
    return true;
  }
  return false;
}

/// The fiber that the current thread sleeps on, or an idle one for it to begin on.
Fiber& BlockRunner::fiber_of_current() {
  if (Fiber* sleeping = threads_[current_].fiber) return *sleeping;
  if (idle_.empty()) {
    auto self = std::make_shared<Fiber*>();
    fibers_.push_back(std::make_unique<Fiber>(fibers_.size(), [this, self] { run_threads(**self); }));
    *self = fibers_.back().get();
    return **self;
  }
  Fiber* idle = idle_.back();
  idle_.pop_back();
  return *idle;
}

/// The life of a fiber: a thread, and, as long as threads end on it, the next fresh one.
void BlockRunner::run_threads(Fiber& self) {
  for (;;) {
    threads_[current_].fiber = &self;
    bool failed = false;
    try {
      (*thread_)();
      async_copies_end_thread(current_);
    } catch (const Fault&) {
      failed = true;  // leave the handler first: exceptions in flight are counted by host thread, not by stack
    } catch (const std::exception&) {
      exception_ = std::current_exception();
      failed = true;
    }
    if (failed) Fiber::switch_over(self, host_);
    threads_[current_].state = State::done;
    ++done_;
    if (!next()) {
      idle_.push_back(&self);
      Fiber::switch_over(self, host_);
    } else if (threads_[current_].fiber != nullptr) {
      idle_.push_back(&self);
      Fiber::switch_over(self, *threads_[current_].fiber);
    }
  }
}

void BlockRunner::sleep(State state, const void* pc) {
  Thread& thread = threads_[current_];
  thread.state = state;
  thread.pc = pc;
  Fiber& self = *thread.fiber;
  Fiber::switch_over(self, next() ? fiber_of_current() : host_);
}

/// Ends the launch if a thread has done wrong.
void BlockRunner::check_failed() {
  if (fault_.empty() && !exception_) return;
  const std::string message = std::exchange(fault_, {});
  const std::exception_ptr exception = std::exchange(exception_, nullptr);
  // What sleeps holds frames of the failed kernel: away with all stacks.
  idle_.clear();
  fibers_.clear();
  if (exception) std::rethrow_exception(exception);
  throw Error(message);
}

/// True iff two calls of a primitive are one in the source: written at one place, and, where that is in a helper,
/// reached from one line of the kernel as far as debug information tells.
bool same_call(CallSite site, const void* pc, CallSite other_site, const void* other_pc) {
  if (pc == other_pc) return true;
  if (site.line != other_site.line || std::strcmp(site.file, other_site.file) != 0) return false;
  return !has_source_line(pc) || !has_source_line(other_pc) || source_line(pc) == source_line(other_pc);
}

void BlockRunner::block_barrier(CallSite site, const void* pc) {
  if (barrier_pc_ == nullptr) {
    barrier_pc_ = pc;
    barrier_site_ = site;
  }
  if (!same_call(site, pc, barrier_site_, barrier_pc_)) {
    fault(fmt::format("this thread is at one barrier of the block, another thread at the one at {}",
                      source_line(barrier_pc_)),
          pc);
  }
  ++at_barrier_;
  sleep(State::at_block_barrier, pc);
}

void BlockRunner::rendezvous(const char* name, unsigned mask, void* slot, Complete complete, CallSite site,
                             const void* pc) {
  if (mask != 0xffffffffu) fault(fmt::format("{} with mask {:#x}: graft's kernels use whole warps", name, mask), pc);
  Warp& warp = warps_[current_ / kLanes];
  if (warp.arrived == 0) {
    warp.primitive = name;
    warp.complete = complete;
    warp.pc = pc;
    warp.site = site;
  } else if (warp.complete != complete || !same_call(site, pc, warp.site, warp.pc)) {
    fault(
        fmt::format("this lane is at {}, another of its warp at {} at {}", name, warp.primitive, source_line(warp.pc)),
        pc);
  }
  warp.slots[current_ % kLanes] = slot;
  if (++warp.arrived < kLanes) return sleep(State::at_warp_primitive, pc);
  warp.arrived = 0;
  check_warp_barrier(current_ / kLanes);
  if (complete != nullptr) complete(warp.slots);
  for (std::size_t i = warp_begin_; i < warp_begin_ + kLanes; ++i) {
    if (i != current_) threads_[i].state = State::ready;
  }
  runnable_ = kLanes - 1;
}

std::string BlockRunner::describe(std::size_t index, const void* pc) const {
  return fmt::format("[emulator] kernel {}, block {}, thread {}, {}", shape_->kernel, text(blockIdx),
                     text(threads_[index].index), source_line(pc));
}

void BlockRunner::fault(const std::string& what, const void* pc) {
  fault_ = describe(current_, pc) + ": " + what;
  throw Fault{};
}

void BlockRunner::fault_for_good(const std::string& what, const void* pc) {
  fault_ = describe(current_, pc) + ": " + what;
  Fiber::leave_for_good(*threads_[current_].fiber, host_);
}

void BlockRunner::check_dynamic_shared(const void* address, std::size_t bytes, const void* pc) {
  const auto* begin = static_cast<const std::byte*>(address);
  if (begin + bytes <= shared_->bytes || begin >= shared_->bytes + kSharedBytes) return;
  if (begin >= shared_->bytes && begin + bytes <= shared_->bytes + shape_->shared_bytes) return;
  fault(fmt::format("{} bytes at byte {} of the {} bytes of dynamic shared memory", bytes, begin - shared_->bytes,
                    shape_->shared_bytes),
        pc);
}

/// Nobody can go on: says who waits where, and for whom.
void BlockRunner::report_stuck() {
  const auto first = [&](State state) {
    return static_cast<std::size_t>(
        std::find_if(threads_.begin(), threads_.end(), [&](const Thread& t) { return t.state == state; }) -
        threads_.begin());
  };
  const std::size_t waiting = first(State::at_warp_primitive);
  std::string message;
  if (waiting < threads_.size()) {
    std::size_t missing = waiting / kLanes * kLanes;
    while (threads_[missing].state == State::at_warp_primitive) ++missing;
    message = fmt::format("{}: {} is not reached by all lanes of its warp: thread {} {}",
                          describe(waiting, threads_[waiting].pc), warps_[waiting / kLanes].primitive,
                          text(threads_[missing].index),
                          threads_[missing].state == State::done
                              ? std::string("has ended")
                              : "waits at a barrier of the block at " + source_line(threads_[missing].pc));
  } else {
    const std::size_t at_barrier = first(State::at_block_barrier);
    message = fmt::format("{}: a barrier of the block is not reached by all threads: thread {} has ended",
                          describe(at_barrier, threads_[at_barrier].pc), text(threads_[first(State::done)].index));
  }
  idle_.clear();
  fibers_.clear();
  throw Error(message);
}

}  // namespace

void run_grid(const GridShape& shape, const ThreadOrder& order, const std::function<void()>& thread) {
  own_runner().run_grid(shape, order, thread);
}

std::size_t current_thread() { return runner->current(); }
int lane() { return static_cast<int>(runner->current() % kLanes); }
std::size_t threads_a_block() { return runner->threads(); }
void* dynamic_shared_memory() { return runner->shared(); }
void check_dynamic_shared(const void* address, std::size_t bytes, const void* pc) {
  runner->check_dynamic_shared(address, bytes, pc);
}

[[gnu::noinline]] void block_barrier(CallSite site) { runner->block_barrier(site, __builtin_return_address(0)); }

[[gnu::noinline]] void warp_barrier(unsigned mask, CallSite site) {
  runner->rendezvous("__syncwarp", mask, nullptr, nullptr, site, __builtin_return_address(0));
}

[[gnu::noinline]] void warp_rendezvous(const char* name, unsigned mask, void* slot,
                                       void (*complete)(const WarpSlots& slots), CallSite site) {
  runner->rendezvous(name, mask, slot, complete, site, __builtin_return_address(0));
}

void kernel_fault(const std::string& what, const void* pc) { runner->fault(what, pc); }
void kernel_fault_for_good(const std::string& what, const void* pc) { runner->fault_for_good(what, pc); }
std::string thread_text(std::size_t thread) { return runner->thread_text(thread); }
std::string block_text(std::uint64_t turn) { return runner->block_text(turn); }

#ifdef GRAFT_ADDRESS_SANITIZER
/// AddressSanitizer calls this before it reports: its own report has the line, and does not know what a thread is.
extern "C" void __asan_on_error();  // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
extern "C" void __asan_on_error() {
  if (runner != nullptr) std::fprintf(stderr, "[emulator] %s:\n", runner->where().c_str());
}
#endif

#ifdef GRAFT_EMULATOR_CHECKED
[[gnu::noinline]] void before_atomic(const void* address, std::size_t bytes) {
  check_access(AccessKind::atomic, address, bytes, __builtin_return_address(0));
  check_suspend();
}
void after_atomic() { check_resume(); }
#endif

}  // namespace graft::cuda::emulator
