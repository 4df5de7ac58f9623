#include "engine/base/shape.h"

#include <fmt/format.h>

#include "engine/base/error.h"

namespace graft {

Shape::Shape(std::span<const std::int64_t> dims) {
  check(dims.size() <= kMaxRank, "[shape] rank {} is above the maximum of {}", dims.size(), kMaxRank);
  for (const std::int64_t extent : dims) {
    check(extent >= 0, "[shape] an extent is negative: {}", extent);
    dims_[static_cast<std::size_t>(rank_++)] = extent;
  }
}

std::int64_t Shape::dim(int i) const {
  const int index = i < 0 ? i + rank_ : i;
  // The text is made in case of need only: extents are asked for several times a kernel call.
  if (index < 0 || index >= rank_) [[unlikely]] {
    fail(ErrorKind::failure, "[shape] dimension {} asked of {}", i, str());
  }
  return dims_[static_cast<std::size_t>(index)];
}

std::int64_t Shape::numel() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : dims()) count *= extent;
  return count;
}

std::string Shape::str() const { return fmt::format("[{}]", fmt::join(dims(), ", ")); }

}  // namespace graft
