#ifndef GRAFT_CUDA_EMULATED
#include "cuda/library/shared_library.h"

#include <dlfcn.h>

#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

SharedLibrary::SharedLibrary(const std::string& file, const std::string& remedy) : file_(file) {
  for (const std::string& path : {file, std::string(GRAFT_CUDA_LIBRARY_DIR) + "/" + file}) {
    handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ != nullptr) return;
  }
  fail(ErrorKind::device, "[cuda] {} cannot be opened: install it or add its folder to LD_LIBRARY_PATH, or {}", file,
       remedy);
}

void* SharedLibrary::address_of(const char* name) const {
  void* address = dlsym(handle_, name);
  if (address == nullptr) fail(ErrorKind::device, "[cuda] {} has no {}: install a newer version", file_, name);
  return address;
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
#endif
