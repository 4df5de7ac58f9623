#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>

#include "cuda/emulator/thread_order.h"

// Runs the threads of a grid as fibers of the calling host thread: blocks in sequence, each thread of a block to its
// next barrier or warp primitive, in a chosen order. What a GPU would forgive is reported as an Error(failure) that
// names kernel, block, thread and source line.

// Two calls of such a function are never made one: a report has to name the line of the right one. GCC has options for
// it (cuda/emulator/CMakeLists.txt).
#ifdef __clang__
#define GRAFT_CALL_APART [[clang::nomerge]]
#else
#define GRAFT_CALL_APART
#endif

namespace graft::cuda::inline emulated {

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned columns = 1, unsigned rows = 1, unsigned layers = 1) : x(columns), y(rows), z(layers) {}
};

}  // namespace graft::cuda::inline emulated

// The built-in variables, set whenever a thread goes on; global, as CUDA's are, so that a debugger knows them by these
// names wherever it stops.
extern constinit thread_local graft::cuda::emulated::uint3 threadIdx;
extern constinit thread_local graft::cuda::emulated::uint3 blockIdx;
extern constinit thread_local graft::cuda::emulated::dim3 blockDim;
extern constinit thread_local graft::cuda::emulated::dim3 gridDim;

namespace graft::cuda::emulator {

using emulated::dim3;
using emulated::uint3;

/// What a launch is, beside the kernel.
struct GridShape {
  const char* kernel = "";
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes = 0;
};

/// Runs `thread` once for each thread of the grid. Throws Error(failure) for what a kernel does wrong.
void run_grid(const GridShape& shape, const ThreadOrder& order, const std::function<void()>& thread);

/// The running thread's number in its block, x fastest, and its lane in its warp.
std::size_t current_thread();
int lane();
std::size_t threads_a_block();
void* dynamic_shared_memory();
/// A fault unless the bytes are static shared memory or lie within the dynamic shared memory that the launch asked for.
void check_dynamic_shared(const void* address, std::size_t bytes, const void* pc);

/// Where a call is written. A compiler may make several calls of one (it unrolls and inlines), and a program without
/// debug information has no lines for their addresses: then this says that they are the same.
struct CallSite {
  const char* file;
  int line;

  /// As a default argument: the place of the call that leaves it out.
  static constexpr CallSite here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

GRAFT_CALL_APART void block_barrier(CallSite site);
GRAFT_CALL_APART void warp_barrier(unsigned mask, CallSite site);

/// What a lane brings to a warp primitive, and what it takes away.
using WarpSlots = std::array<void*, 32>;

/// Waits until all 32 lanes of the warp have come to the primitive called `name`, each with a slot; the last one runs
/// `complete`, which sees all slots and writes the results into them. The basis of every warp primitive; what calls it
/// is always inlined, so that the call's address is one in the kernel.
GRAFT_CALL_APART void warp_rendezvous(const char* name, unsigned mask, void* slot,
                                      void (*complete)(const WarpSlots& slots), CallSite site = CallSite::here());

/// The value that lane `source` brought.
template <class T>
[[gnu::always_inline]] inline T warp_shuffle(unsigned mask, T value, int source, CallSite site) {
  static_assert(std::is_trivially_copyable_v<T>);
  struct Slot {
    T value;
    int source;
    T result;
  };
  Slot mine{value, source, value};
  warp_rendezvous(
      "__shfl_sync", mask, &mine,
      [](const WarpSlots& slots) {
        for (void* slot : slots) {
          auto* taker = static_cast<Slot*>(slot);
          taker->result = static_cast<const Slot*>(slots[static_cast<std::size_t>(taker->source)])->value;
        }
      },
      site);
  return mine.result;
}

/// Bit i: the predicate of lane i.
[[gnu::always_inline]] inline unsigned warp_ballot(unsigned mask, bool predicate, CallSite site) {
  struct Slot {
    bool predicate;
    unsigned result;
  };
  Slot mine{predicate, 0};
  warp_rendezvous(
      "__ballot_sync", mask, &mine,
      [](const WarpSlots& slots) {
        unsigned bits = 0;
        for (std::size_t i = 0; i < slots.size(); ++i)
          bits |= static_cast<unsigned>(static_cast<const Slot*>(slots[i])->predicate) << i;
        for (void* slot : slots) static_cast<Slot*>(slot)->result = bits;
      },
      site);
  return mine.result;
}

/// Around the load and the store of an atomic: for the checked build.
#ifdef GRAFT_EMULATOR_CHECKED
void before_atomic(const void* address, std::size_t bytes);
void after_atomic();
#else
inline void before_atomic(const void* /*address*/, std::size_t /*bytes*/) {}
inline void after_atomic() {}
#endif

/// *address = change(*address); returns what was there.
template <class T, class Change>
[[gnu::always_inline]] inline T atomic_update(T* address, const Change& change) {
  before_atomic(address, sizeof(T));
  const T old = *address;
  *address = change(old);
  after_atomic();
  return old;
}

/// Stops the launch: Error(failure) with kernel, block, thread and the line of `pc`. For the emulator's own parts.
[[noreturn]] void kernel_fault(const std::string& what, const void* pc);
/// The same for where no exception can pass, as a load or a store: the thread's stack is not unwound.
[[noreturn]] void kernel_fault_for_good(const std::string& what, const void* pc);

/// "(3, 0, 0)" for a thread of the block that runs and for the block that the launch ran as its `turn`th, from 0.
std::string thread_text(std::size_t thread);
std::string block_text(std::uint64_t turn);

}  // namespace graft::cuda::emulator
