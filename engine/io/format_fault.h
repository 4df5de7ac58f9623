#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/error.h"

namespace graft {

/// What is wrong with a file's contents, thrown where its name is not known; naming_file turns it into an Error.
class FormatFault : public std::runtime_error {
 public:
  FormatFault(const std::string& what, std::string remedy) : std::runtime_error(what), remedy_(std::move(remedy)) {}
  /// Empty: the file is damaged, and another copy of it may not be.
  const std::string& remedy() const { return remedy_; }

 private:
  std::string remedy_;
};

/// Throws the fault of a file that breaks its format's rules.
template <class... Args>
[[noreturn]] void damaged(fmt::format_string<Args...> format, Args&&... args) {
  throw FormatFault(fmt::format(format, std::forward<Args>(args)...), {});
}

/// Throws the fault of a file that may well be whole but that graft does not take; `remedy` says what to do.
template <class... Args>
[[noreturn]] void refused(std::string remedy, fmt::format_string<Args...> format, Args&&... args) {
  throw FormatFault(fmt::format(format, std::forward<Args>(args)...), std::move(remedy));
}

/// Runs `body`; a FormatFault from it becomes Error(data) "PATH: no valid FORMAT file: FAULT; fetch or write it again"
/// or "PATH: FAULT; REMEDY".
template <class Body>
auto naming_file(const std::filesystem::path& path, std::string_view format, const Body& body) {
  try {
    return body();
  } catch (const FormatFault& fault) {
    if (!fault.remedy().empty()) fail(ErrorKind::data, "{}: {}; {}", path.string(), fault.what(), fault.remedy());
    fail(ErrorKind::data, "{}: no valid {} file: {}; fetch or write it again", path.string(), format, fault.what());
  }
}

/// Names and texts out of a file, fit for one line of a terminal: cut after 80 bytes, control characters as '?'.
std::string printable(std::string_view text);

}  // namespace graft
