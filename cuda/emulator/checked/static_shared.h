#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace graft::cuda::emulator::checked {

/// A thread_local variable of this program, as its symbol table has it.
struct ThreadLocalVariable {
  std::string name;        ///< mangled
  std::size_t offset = 0;  ///< from the begin of the program's thread-local memory
  std::size_t bytes = 0;
};

/// The static shared memory of all kernels of this program: `__shared__` is `static thread_local` here.
struct StaticShared {
  std::vector<ThreadLocalVariable> shared;    ///< local to a function that is not the emulator's, by offset
  std::vector<ThreadLocalVariable> language;  ///< threadIdx and what else of the emulator's kernels may touch
  std::size_t bytes = 0;                      ///< of the program's thread-local memory

  /// Read from the program's file. Without a symbol table there are no variables, and static shared memory is not
  /// checked.
  static const StaticShared& of_program();
  /// Where the calling host thread has the program's thread-local memory.
  static std::byte* begin();
};

}  // namespace graft::cuda::emulator::checked
