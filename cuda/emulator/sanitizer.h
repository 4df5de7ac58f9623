#pragma once

#include <cstddef>

// What AddressSanitizer has to be told; nothing in builds without it (GRAFT_SANITIZE).
#if defined(__SANITIZE_ADDRESS__)
#define GRAFT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GRAFT_ADDRESS_SANITIZER 1
#endif
#endif

#ifdef GRAFT_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace graft::cuda::emulator {

/// Touching the bytes is an error from here on, until they are allowed again.
inline void forbid_bytes([[maybe_unused]] const void* begin, [[maybe_unused]] std::size_t bytes) {
#ifdef GRAFT_ADDRESS_SANITIZER
  ASAN_POISON_MEMORY_REGION(begin, bytes);
#endif
}
inline void allow_bytes([[maybe_unused]] const void* begin, [[maybe_unused]] std::size_t bytes) {
#ifdef GRAFT_ADDRESS_SANITIZER
  ASAN_UNPOISON_MEMORY_REGION(begin, bytes);
#endif
}

/// To be called before the stack is changed for one of `bytes` from `bottom`. `fake_stack`: where the one that is left
/// keeps its fake stack, null if it is left for good.
inline void announce_switch([[maybe_unused]] void** fake_stack, [[maybe_unused]] const void* bottom,
                            [[maybe_unused]] std::size_t bytes) {
#ifdef GRAFT_ADDRESS_SANITIZER
  __sanitizer_start_switch_fiber(fake_stack, bottom, bytes);
#endif
}
/// To be called after it, on the new stack; gives the old one's bounds.
inline void announce_arrival([[maybe_unused]] void* fake_stack, [[maybe_unused]] const void** old_bottom,
                             [[maybe_unused]] std::size_t* old_bytes) {
#ifdef GRAFT_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(fake_stack, old_bottom, old_bytes);
#endif
}

}  // namespace graft::cuda::emulator
