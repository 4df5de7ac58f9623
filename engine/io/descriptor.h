#pragma once

#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/error.h"

namespace graft {

/// Owns an open file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }

  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }
  bool is_open() const { return value_ >= 0; }
  /// True iff the system reported no late error; the descriptor is closed either way.
  bool close() { return value_ < 0 || ::close(std::exchange(value_, -1)) == 0; }

 private:
  int value_ = -1;
};

/// The system's words for an errno value, as they stand within a sentence: "no space left on device".
std::string system_reason(int error_number);

/// Throws Error(kind) "PATH: cannot ACTION: REASON".
[[noreturn]] void fail_system(ErrorKind kind, const std::filesystem::path& path, std::string_view action,
                              int error_number);

/// Opens a regular file for reading. Throws Error(data) naming it.
Descriptor open_for_reading(const std::filesystem::path& path);

/// Writes all bytes at the descriptor's position; false with errno set if that fails half way.
bool write_all(int descriptor, std::span<const std::byte> bytes);

/// Makes the names in the folder of `path` durable. False with errno set if the disk says no; file systems that cannot
/// do it for folders count as done.
bool sync_folder_of(const std::filesystem::path& path);

}  // namespace graft
