#include "tools/backends.h"

#include <fmt/core.h>
#include <oneapi/dnnl/dnnl.h>

#include <fstream>

#include "cuda/backends.h"
#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/reference/reference_backend.h"

namespace graft {

#ifdef GRAFT_WITH_CUDA
namespace {

void register_cuda(BackendRegistry& registry) {
  const std::string lacks = cuda_build_lacks();
  registry.add({.name = "cuda",
                .description = "NVIDIA GPU, by hand-written kernels" + (lacks.empty() ? "" : "; " + lacks),
                .make = make_cuda_backend,
                .has_libraries = true});
}

}  // namespace
#endif

void register_backends() {
  BackendRegistry& registry = backend_registry();
  if (!registry.kinds().empty()) return;
  registry.add({.name = "cpu", .description = "processor, by oneDNN", .make = make_cpu_backend});
#ifdef GRAFT_WITH_CUDA
  register_cuda(registry);
#endif
#ifdef GRAFT_WITH_CUDA_EMULATED
  registry.add({.name = "cuda-emulated",
                .description = "the kernels of cuda on the processor, a fiber a thread: to test and to read, slow; "
                               "without cuBLAS and cuDNN; " +
                               cuda_emulator_build() + ", see docs/emulator.md",
                .make = make_cuda_emulated_backend,
                .has_libraries = true});
#endif
  registry.add({.name = "reference",
                .description = "plain loops in f64, the oracle of tests: slow",
                .make = make_reference_backend});
}

std::map<std::string, std::string> library_versions() {
  const dnnl_version_t* dnnl = dnnl_version();
  std::map<std::string, std::string> versions{
      {"graft", GRAFT_VERSION}, {"oneDNN", fmt::format("{}.{}.{}", dnnl->major, dnnl->minor, dnnl->patch)}};
#ifdef GRAFT_WITH_CUDA
  versions.merge(cuda_library_versions());
#endif
  return versions;
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

}  // namespace graft
