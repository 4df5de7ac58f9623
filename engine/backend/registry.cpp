#include "engine/backend/registry.h"

#include <utility>

#include "engine/base/error.h"

namespace graft {

void BackendRegistry::add(BackendKind kind) { kinds_.push_back(std::move(kind)); }

std::unique_ptr<Backend> BackendRegistry::make(const std::string& name, const BackendOptions& options) const {
  std::string names;
  for (const BackendKind& kind : kinds_) {
    if (kind.name == name) {
      if (!options.plain() && !kind.has_libraries) {
        fail(ErrorKind::usage, "--device {}: --conv, --gemm and --tf32 are for CUDA devices; leave them out", name);
      }
      return kind.make(options);
    }
    names += (names.empty() ? "" : ", ") + kind.name;
  }
  fail(ErrorKind::usage, "--device {}: this build has {}", name, names);
}

BackendRegistry& backend_registry() {
  static BackendRegistry registry;
  return registry;
}

}  // namespace graft
