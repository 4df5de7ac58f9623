#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace graft {

/// What went wrong, as the command's exit code (docs and DESIGN list them).
enum class ErrorKind : int {
  failure = 1,       ///< none of the others
  usage = 2,         ///< a flag, key or argument is wrong
  data = 3,          ///< input data or a checkpoint is at fault
  device = 4,        ///< a device is at fault
  interrupted = 130  ///< stopped by the user; can be resumed
};

/// The one exception type. The message is one line that starts with the operation in brackets or names the file
/// or flag, gives both values and says what to do.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ErrorKind kind = ErrorKind::failure)
      : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

/// Throws Error(kind) with a formatted message.
template <class... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...), kind);
}

/// Throws Error(failure) with a formatted message unless `condition` holds.
template <class... Args>
void check(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) [[unlikely]] {
    throw Error(fmt::format(format, std::forward<Args>(args)...));
  }
}

}  // namespace graft
