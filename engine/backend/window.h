#pragma once

#include <cstdint>

namespace graft {

/// A pair of extents along height and width.
struct Extent2d {
  std::int64_t height = 1;
  std::int64_t width = 1;
  bool operator==(const Extent2d&) const = default;
};

/// Rows and columns added around an image. `same(p)` pads every side by p.
struct Padding2d {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t bottom = 0;
  std::int64_t right = 0;
  static Padding2d same(std::int64_t p) { return {p, p, p, p}; }
  bool operator==(const Padding2d&) const = default;
};

/// How a two-dimensional window moves over an image: shared by convolution and pooling.
struct Window2d {
  Extent2d stride{1, 1};
  Extent2d dilation{1, 1};
  Padding2d padding{};
  bool operator==(const Window2d&) const = default;
};

/// Output extent of a window of `kernel` taps over `size` elements, rounded down as in PyTorch and cuDNN:
/// (size + before + after - dilation (kernel - 1) - 1) / stride + 1, and 0 if the window does not fit.
constexpr std::int64_t window_output(std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                                     std::int64_t before, std::int64_t after) {
  const std::int64_t room = size + before + after - dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

}  // namespace graft
