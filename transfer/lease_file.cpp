#include "transfer/lease_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "engine/base/error.h"
#include "engine/io/descriptor.h"

namespace graft {
namespace {

/// ESTALE: another machine has removed the file.
bool is_gone(int error_number) { return error_number == ENOENT || error_number == ESTALE; }

}  // namespace

bool create_exclusively(const std::filesystem::path& file, const std::string& text) {
  Descriptor descriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!descriptor.is_open()) {
    if (errno == EEXIST) return false;
    fail_system(ErrorKind::failure, file, "create", errno);
  }
  if (write_all(descriptor.get(), std::as_bytes(std::span(text))) && descriptor.close()) return true;
  const int reason = errno;
  ::unlink(file.c_str());
  fail_system(ErrorKind::failure, file, "write", reason);
}

std::optional<std::string> read_if_there(const std::filesystem::path& file) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor.is_open()) {
    if (is_gone(errno)) return std::nullopt;
    fail_system(ErrorKind::failure, file, "open", errno);
  }
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t count = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && is_gone(errno)) return std::nullopt;
    if (count < 0) fail_system(ErrorKind::failure, file, "read", errno);
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

bool overwrite(const std::filesystem::path& file, const std::string& text) {
  Descriptor descriptor(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (descriptor.is_open() && write_all(descriptor.get(), std::as_bytes(std::span(text))) && descriptor.close()) {
    return true;
  }
  if (is_gone(errno)) return false;
  fail_system(ErrorKind::failure, file, "write", errno);
}

bool SilenceWatch::silent(const std::string& key, const std::string& text, std::chrono::milliseconds limit,
                          Clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  const auto [entry, is_new] = seen_.try_emplace(key, Seen{.text = text, .last = now});
  Seen& seen = entry->second;
  if (is_new) return false;
  if (seen.text != text) {
    seen = {.text = text, .last = now};
    return false;
  }
  seen.unchanged += std::min<Clock::duration>(now - seen.last, Clock::duration(limit) / 4);
  seen.last = now;
  return seen.unchanged >= limit;
}

void SilenceWatch::forget(const std::string& key) {
  const std::scoped_lock lock(mutex_);
  seen_.erase(key);
}

}  // namespace graft
