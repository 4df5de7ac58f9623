#pragma once

#include "cuda/device.cuh"

// Copies from global to shared memory that pass by the registers and run on while the thread goes on: cp.async of
// sm_80. A thread issues copies, closes a group of them with copy_async_commit(), and waits with copy_async_wait();
// that makes its own copies visible to itself alone, so a barrier has to follow before another thread reads them.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Starts a copy of Bytes (4, 8 or 16) from `global` to `shared`, both multiples of Bytes; zeros instead, and `global`
/// not touched, unless `valid`. Copies of 16 bytes pass by the L1 cache.
template <int Bytes>
__device__ __forceinline__ void copy_async(void* shared, const void* global, bool valid) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16, "what cp.async can copy");
#ifdef GRAFT_CUDA_EMULATED
  emulator::async_copy_issue(shared, global, Bytes, valid);
#else
  const unsigned to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  const int from_bytes = valid ? Bytes : 0;  // the rest of the destination is filled with zeros
  if constexpr (Bytes == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(to), "l"(global), "r"(from_bytes) : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;\n" ::"r"(to), "l"(global), "n"(Bytes), "r"(from_bytes)
                 : "memory");
  }
#endif
}

/// Closes a group: the copies that this thread started since the last one. It may be empty.
__device__ __forceinline__ void copy_async_commit() {
#ifdef GRAFT_CUDA_EMULATED
  emulator::async_copy_commit();
#else
  asm volatile("cp.async.commit_group;\n" ::: "memory");
#endif
}

/// Waits for all groups of this thread but its latest GroupsLeft.
template <int GroupsLeft>
__device__ __forceinline__ void copy_async_wait() {
  static_assert(GroupsLeft >= 0);
#ifdef GRAFT_CUDA_EMULATED
  emulator::async_copy_wait(GroupsLeft);
#else
  asm volatile("cp.async.wait_group %0;\n" ::"n"(GroupsLeft) : "memory");
#endif
}

/// *address, in shared memory that copy_async wrote. All reads of such memory go through here or through the tile
/// loads, so that the emulator sees one that comes before its wait.
template <class V>
__device__ __forceinline__ V read_async_shared(const V* address) {
#ifdef GRAFT_CUDA_EMULATED
  emulator::check_async_read(address, sizeof(V));
#endif
  return *address;
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
