#include "engine/io/descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <system_error>

namespace graft {
namespace {

int open_retrying(const char* path, int flags) {
  int descriptor = -1;
  do {
    descriptor = ::open(path, flags);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

}  // namespace

std::string system_reason(int error_number) {
  std::string text = std::generic_category().message(error_number);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

void fail_system(ErrorKind kind, const std::filesystem::path& path, std::string_view action, int error_number) {
  fail(kind, "{}: cannot {}: {}", path.string(), action, system_reason(error_number));
}

Descriptor open_for_reading(const std::filesystem::path& path) {
  // Without O_NONBLOCK a named pipe would wait for a writer before fstat can tell what it is.
  Descriptor descriptor(open_retrying(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!descriptor.is_open()) fail_system(ErrorKind::data, path, "open", errno);
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) fail_system(ErrorKind::data, path, "open", errno);
  if (S_ISDIR(status.st_mode)) fail_system(ErrorKind::data, path, "read", EISDIR);
  if (!S_ISREG(status.st_mode)) fail(ErrorKind::data, "{}: is not a regular file; give a file on disk", path.string());
  return descriptor;
}

bool write_all(int descriptor, std::span<const std::byte> bytes) {
  constexpr std::size_t kChunk = std::size_t{1} << 30;  // below what one call of any system takes
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), std::min(bytes.size(), kChunk));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

bool sync_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const Descriptor descriptor(open_retrying(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A folder that may be written but not read cannot be synced; nor can one on some network file systems.
  if (!descriptor.is_open()) return errno == EACCES;
  return ::fsync(descriptor.get()) == 0 || errno == EINVAL || errno == ENOTSUP;
}

}  // namespace graft
