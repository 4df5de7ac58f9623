#include "tests/fuzz/fuzz_target.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "engine/base/error.h"
#include "engine/io/descriptor.h"

namespace graft::fuzz {

void require(bool condition, const char* what) {
  if (condition) return;
  static_cast<void>(std::fprintf(stderr, "fuzz: %s\n", what));
  std::abort();
}

void with_file(std::span<const std::uint8_t> bytes, const std::function<void(const std::filesystem::path&)>& body) {
  const Descriptor file(memfd_create("graft-fuzz", MFD_CLOEXEC));
  require(file.is_open() && write_all(file.get(), std::as_bytes(bytes)), "no file in memory");
  try {
    body("/proc/self/fd/" + std::to_string(file.get()));
  } catch (const Error& error) {
    const std::string text = error.what();
    require(error.kind() == ErrorKind::data || error.kind() == ErrorKind::usage, error.what());
    require(text.find('\n') == std::string::npos, "a message of several lines");
  }
}

}  // namespace graft::fuzz
