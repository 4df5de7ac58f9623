#include "engine/io/extents.h"

#include <algorithm>
#include <limits>

#include "engine/io/format_fault.h"

namespace graft {

std::uint64_t dense_bytes(std::span<const std::int64_t> shape, std::uint64_t element, std::string_view what) {
  const auto negative = std::find_if(shape.begin(), shape.end(), [](std::int64_t extent) { return extent < 0; });
  if (negative != shape.end()) damaged("{} has the extent {}", what, *negative);
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  std::uint64_t bytes = element;
  for (const std::int64_t extent : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes) ||
        bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      damaged("{} has a shape whose size overflows", what);
    }
  }
  return bytes;
}

}  // namespace graft
