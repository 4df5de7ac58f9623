#pragma once

#include <map>
#include <string>

namespace graft {

/// Fills the registry with the backends that this program was built with. To be called once, by main.
void register_backends();

/// Versions of graft and of the libraries that results depend on.
std::map<std::string, std::string> library_versions();

/// The processor's name as the system gives it, "unknown" where it gives none.
std::string processor_name();

}  // namespace graft
