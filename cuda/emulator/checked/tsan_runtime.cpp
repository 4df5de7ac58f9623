// The functions that code compiled with -fsanitize=thread calls at its loads and stores, for kernels: ThreadSanitizer's
// names, the emulator's checker behind them. ThreadSanitizer itself is not linked. And the one that -fsanitize=bounds
// calls where an index leaves an array.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "cuda/emulator/checked/checker.h"
#include "cuda/emulator/scheduler.h"

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the compilers' names.

namespace {

using graft::cuda::emulator::AccessKind;
using graft::cuda::emulator::checked::Checker;
using graft::cuda::emulator::checked::looking;

inline void seen(AccessKind kind, const void* address, std::size_t bytes, const void* pc) {
  if (looking) Checker::instance().access(kind, address, bytes, pc);
}

}  // namespace

#define GRAFT_PLAIN_ACCESS(name, kind, bytes) \
  void name(const void* address) { seen(kind, address, bytes, __builtin_return_address(0)); }
#define GRAFT_PLAIN_ACCESSES(bytes)                                         \
  GRAFT_PLAIN_ACCESS(__tsan_read##bytes, AccessKind::read, bytes)           \
  GRAFT_PLAIN_ACCESS(__tsan_write##bytes, AccessKind::write, bytes)         \
  GRAFT_PLAIN_ACCESS(__tsan_unaligned_read##bytes, AccessKind::read, bytes) \
  GRAFT_PLAIN_ACCESS(__tsan_unaligned_write##bytes, AccessKind::write, bytes)

// NOLINTBEGIN(bugprone-macro-parentheses): T is a type.
// What the launchers beside the kernels use (the guards of static variables, shared pointers) and no kernel: atomics
// of std::atomic's kind.
#define GRAFT_ATOMIC_CHANGE(bits, T, name)                                  \
  T __tsan_atomic##bits##_fetch_##name(volatile T* address, T value, int) { \
    return __atomic_fetch_##name(address, value, __ATOMIC_SEQ_CST);         \
  }
#define GRAFT_ATOMICS(bits, T)                                                                                        \
  T __tsan_atomic##bits##_load(const volatile T* address, int) { return __atomic_load_n(address, __ATOMIC_SEQ_CST); } \
  void __tsan_atomic##bits##_store(volatile T* address, T value, int) {                                               \
    __atomic_store_n(address, value, __ATOMIC_SEQ_CST);                                                               \
  }                                                                                                                   \
  T __tsan_atomic##bits##_exchange(volatile T* address, T value, int) {                                               \
    return __atomic_exchange_n(address, value, __ATOMIC_SEQ_CST);                                                     \
  }                                                                                                                   \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile T* address, T* expected, T value, int, int) {            \
    return __atomic_compare_exchange_n(address, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);          \
  }                                                                                                                   \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile T* address, T* expected, T value, int, int) {              \
    return __atomic_compare_exchange_n(address, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);          \
  }                                                                                                                   \
  T __tsan_atomic##bits##_compare_exchange_val(volatile T* address, T expected, T value, int, int) {                  \
    __atomic_compare_exchange_n(address, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                \
    return expected;                                                                                                  \
  }                                                                                                                   \
  GRAFT_ATOMIC_CHANGE(bits, T, add)                                                                                   \
  GRAFT_ATOMIC_CHANGE(bits, T, sub)                                                                                   \
  GRAFT_ATOMIC_CHANGE(bits, T, and)                                                                                   \
  GRAFT_ATOMIC_CHANGE(bits, T, or)                                                                                    \
  GRAFT_ATOMIC_CHANGE(bits, T, xor)                                                                                   \
  GRAFT_ATOMIC_CHANGE(bits, T, nand)
// NOLINTEND(bugprone-macro-parentheses)

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void* /*caller*/) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void** /*address*/, void* /*value*/) {}
void __tsan_vptr_read(void** /*address*/) {}

GRAFT_PLAIN_ACCESS(__tsan_read1, AccessKind::read, 1)
GRAFT_PLAIN_ACCESS(__tsan_write1, AccessKind::write, 1)
GRAFT_PLAIN_ACCESSES(2)
GRAFT_PLAIN_ACCESSES(4)
GRAFT_PLAIN_ACCESSES(8)
GRAFT_PLAIN_ACCESSES(16)
void __tsan_read_range(const void* address, std::size_t bytes) {
  seen(AccessKind::read, address, bytes, __builtin_return_address(0));
}
void __tsan_write_range(const void* address, std::size_t bytes) {
  seen(AccessKind::write, address, bytes, __builtin_return_address(0));
}

GRAFT_ATOMICS(8, std::uint8_t)
GRAFT_ATOMICS(16, std::uint16_t)
GRAFT_ATOMICS(32, std::uint32_t)
GRAFT_ATOMICS(64, std::uint64_t)
void __tsan_atomic_thread_fence(int /*order*/) { std::atomic_thread_fence(std::memory_order_seq_cst); }
void __tsan_atomic_signal_fence(int /*order*/) {}

/// `place` and `index` as the compiler describes them; the pc says as much.
void __ubsan_handle_out_of_bounds(void* /*place*/, std::uintptr_t index) {
  if (!looking) return;
  graft::cuda::emulator::kernel_fault_for_good(
      "index " + std::to_string(static_cast<std::intptr_t>(index)) + " is outside of its array",
      __builtin_return_address(0));
}

}  // extern "C"

// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
