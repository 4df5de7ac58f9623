#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <string>
#include <utility>

namespace graft {

/// Writes one whole line to stderr; lines of several threads do not mix. stdout is for results only.
void log_line(const std::string& line);

template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_line(fmt::format(format, std::forward<Args>(args)...));
}

/// A warning: "graft: warning: ...".
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_line("graft: warning: " + fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace graft
