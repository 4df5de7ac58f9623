#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/backend/backend.h"

namespace graft {

struct BackendOptions {
  int threads = 0;  ///< 0: all cores that the process may use
};

/// A kind of backend: how it is named, described and made.
struct BackendKind {
  std::string name;         ///< "cpu"
  std::string description;  ///< one line for `graft devices`
  std::function<std::unique_ptr<Backend>(const BackendOptions&)> make;
};

/// The kinds of backend of this program. Filled explicitly by main (tools/backends.h), never by static initialisers.
class BackendRegistry {
 public:
  void add(BackendKind kind);
  const std::vector<BackendKind>& kinds() const { return kinds_; }
  /// Makes a backend; throws Error(usage) that lists the kinds if none is called `name`.
  std::unique_ptr<Backend> make(const std::string& name, const BackendOptions& options = {}) const;

 private:
  std::vector<BackendKind> kinds_;
};

/// The one registry of the program.
BackendRegistry& backend_registry();

}  // namespace graft
