#include "cuda/emulator/memory_check.h"
#include "cuda/emulator/sanitizer.h"

namespace graft::cuda::emulator {

const char* checks_of_this_build() {
#if defined(GRAFT_EMULATOR_CHECKED)
  return "checked build: barriers and warp primitives that not all reach, copy_async read before its wait; every load "
         "and store of a kernel for bounds, memory never written, and hazards within a block and between blocks.\n"
         "Not checked: what memcpy and memset do when a kernel calls them; pointers to host memory; a pointer that "
         "leaves one array of shared memory for another (an index is); the second of two one-byte writers of one half "
         "word; of several atomics all but the latest; a grid in which blocks wait for each other.";
#elif defined(GRAFT_ADDRESS_SANITIZER)
  return "sanitized build: barriers and warp primitives that not all reach, copy_async read before its wait; bounds of "
         "device memory, its use after release, and the end of dynamic shared memory.\n"
         "Not checked: hazards; memory never written; bounds of arrays within shared memory.";
#else
  return "plain build: barriers and warp primitives that not all reach, copy_async read before its wait.\n"
         "Not checked: bounds, memory never written, and hazards; build with the preset 'checked' for these.";
#endif
}

}  // namespace graft::cuda::emulator
