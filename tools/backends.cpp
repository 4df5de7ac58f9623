#include "tools/backends.h"

#include <fmt/core.h>
#include <oneapi/dnnl/dnnl.h>

#include <fstream>

#include "engine/backend/registry.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/reference/reference_backend.h"

namespace graft {

void register_backends() {
  BackendRegistry& registry = backend_registry();
  if (!registry.kinds().empty()) return;
  registry.add({.name = "cpu", .description = "processor, by oneDNN", .make = make_cpu_backend});
  registry.add({.name = "reference",
                .description = "plain loops in f64, the oracle of tests: slow",
                .make = make_reference_backend});
}

std::map<std::string, std::string> library_versions() {
  const dnnl_version_t* dnnl = dnnl_version();
  return {{"graft", GRAFT_VERSION}, {"oneDNN", fmt::format("{}.{}.{}", dnnl->major, dnnl->minor, dnnl->patch)}};
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
