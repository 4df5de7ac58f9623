#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <utility>

#include "datasets/image_decode.h"
#include "engine/base/error.h"

namespace graft {

/// Throws Error(data) "NAME: no valid FORMAT image: ...".
template <class... Args>
[[noreturn]] void fail_image(const std::string& name, const char* format_name, fmt::format_string<Args...> format,
                             Args&&... args) {
  fail(ErrorKind::data, "{}: no valid {} image: {}", name, format_name,
       fmt::format(format, std::forward<Args>(args)...));
}

/// Throws Error(data) for an image without pixels or with more than the limit.
inline void check_image_size(const std::string& name, const char* format_name, std::int64_t width, std::int64_t height,
                             const ImageLimits& limits) {
  if (width <= 0 || height <= 0) fail_image(name, format_name, "its header declares {}x{} pixels", width, height);
  if (height > limits.max_pixels / width) {
    fail(ErrorKind::data, "{}: its header declares {}x{} pixels, the limit is {}; raise it with --max-pixels", name,
         width, height, limits.max_pixels);
  }
}

}  // namespace graft
