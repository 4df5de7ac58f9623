#pragma once

#include <cstdint>

namespace graft {

/// Positions [first, end) of a line, or windows.
struct AdaptiveRange {
  std::int64_t first = 0;
  std::int64_t end = 0;
  constexpr std::int64_t size() const { return end - first; }
};

/// One direction of adaptive pooling from `extent` positions to `windows` windows, at least 1: window i sees the
/// positions from floor(i extent / windows) to before ceil((i + 1) extent / windows), as in PyTorch.
struct AdaptiveAxis {
  std::int64_t extent = 0;
  std::int64_t windows = 1;

  constexpr AdaptiveRange positions(std::int64_t window) const {
    return {window * extent / windows, ((window + 1) * extent + windows - 1) / windows};
  }
  /// The windows that see a position; at least one.
  constexpr AdaptiveRange windows_over(std::int64_t position) const {
    return {position * windows / extent, ((position + 1) * windows + extent - 1) / extent};
  }
};

}  // namespace graft
