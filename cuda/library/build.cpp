#include "cuda/library/build.h"

#include "cuda/backends.h"
#ifndef GRAFT_CUDA_EMULATED
#include <fmt/core.h>
#ifdef GRAFT_WITH_CUBLAS
#include <cublas_api.h>
#endif
#ifdef GRAFT_WITH_CUDNN
#include <cudnn_version.h>
#endif

namespace graft {

std::string cuda_build_lacks() {
  std::string missing;
  if (!cuda::kWithCublas) missing = "cuBLAS";
  if (!cuda::kWithCudnn) missing += missing.empty() ? "cuDNN" : " and cuDNN";
  return missing.empty() ? "" : "this build is without " + missing;
}

std::map<std::string, std::string> cuda_library_versions() {
  std::map<std::string, std::string> versions{
      {"CUDA", fmt::format("{}.{}", CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10)}};
#ifdef GRAFT_WITH_CUBLAS
  versions["cuBLAS"] = fmt::format("{}.{}.{}", CUBLAS_VER_MAJOR, CUBLAS_VER_MINOR, CUBLAS_VER_PATCH);
#endif
#ifdef GRAFT_WITH_CUDNN
  versions["cuDNN"] = fmt::format("{}.{}.{}", CUDNN_MAJOR, CUDNN_MINOR, CUDNN_PATCHLEVEL);
#endif
  return versions;
}

}  // namespace graft
#endif
