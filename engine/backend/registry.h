#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/backend/backend.h"

namespace graft {

/// How a backend is to be made. What bits depend on here stands in Backend::device_kind() where it is not the default.
struct BackendOptions {
  int threads = 0;              ///< 0: all cores that the process may use
  std::string conv = "native";  ///< convolutions by graft's own kernels, "cudnn", or "auto": measured once a shape
  std::string gemm = "native";  ///< matrix products likewise: "native", "cublas" or "auto"
  bool tf32 = false;            ///< f32 convolutions and matrix products may round their factors to tf32
  bool graph = true;            ///< training steps are captured and replayed where the backend can
  std::map<std::string, std::string> choices{};  ///< what "auto" takes for these shapes instead of measuring

  /// True iff everything that bits depend on, but the threads, is the default.
  bool plain() const { return conv == "native" && gemm == "native" && !tf32; }
};

/// A kind of backend: how it is named, described and made.
struct BackendKind {
  std::string name;         ///< "cpu"
  std::string description;  ///< one line for `graft devices`
  std::function<std::unique_ptr<Backend>(const BackendOptions&)> make;
  bool has_libraries = false;  ///< true iff it knows --conv, --gemm and --tf32
};

/// The kinds of backend of this program. Filled explicitly by main (tools/backends.h), never by static initialisers.
class BackendRegistry {
 public:
  void add(BackendKind kind);
  const std::vector<BackendKind>& kinds() const { return kinds_; }
  /// Makes a backend; throws Error(usage) that lists the kinds if none is called `name`, or names the options that this
  /// kind does not have.
  std::unique_ptr<Backend> make(const std::string& name, const BackendOptions& options = {}) const;

 private:
  std::vector<BackendKind> kinds_;
};

/// The one registry of the program.
BackendRegistry& backend_registry();

}  // namespace graft
