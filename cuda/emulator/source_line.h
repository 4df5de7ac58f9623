#pragma once

#include <string>

namespace graft::cuda::emulator {

/// "cuda/kernels/relu.cu:41" for an address of this program's code: the innermost inlined frame that lies outside the
/// emulator's and the kernels' shared device headers. The module and offset where there is no debug information or no
/// addr2line.
std::string source_line(const void* pc);
/// True iff source_line knows one.
bool has_source_line(const void* pc);

}  // namespace graft::cuda::emulator
