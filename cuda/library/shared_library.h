#pragma once

#include <string>
#include <vector>

#include "cuda/platform.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// A library that is opened while the program runs, so that the program starts, and works, without it.
class SharedLibrary {
 public:
  /// Opens `file` ("libcublas.so.13") from where the system looks (LD_LIBRARY_PATH among it), then from the toolkit
  /// that this program was built with. Throws Error(device) that names the file and `remedy`.
  SharedLibrary(const std::string& file, const std::string& remedy);

  /// The function called so; throws Error(device) if the library has none.
  template <class Function>
  Function* function(const char* name) const {
    return reinterpret_cast<Function*>(address_of(name));
  }

 private:
  void* address_of(const char* name) const;

  std::string file_;
  void* handle_ = nullptr;  // never closed: what such libraries register at exit would be gone
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
