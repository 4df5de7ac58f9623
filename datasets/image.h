#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace graft {

/// Pixels that lie somewhere else: u8 [height, width, channels], channels interleaved. `row_bytes` from row to row.
struct ImageView {
  const std::uint8_t* pixels = nullptr;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 3;
  std::size_t row_bytes = 0;

  const std::uint8_t* row(std::int64_t y) const { return pixels + static_cast<std::size_t>(y) * row_bytes; }
  /// The part of it that begins at (top, left); it must lie inside.
  ImageView part(std::int64_t top, std::int64_t left, std::int64_t part_height, std::int64_t part_width) const {
    return {.pixels = row(top) + static_cast<std::size_t>(left * channels),
            .height = part_height,
            .width = part_width,
            .channels = channels,
            .row_bytes = row_bytes};
  }
};

/// Memory that only grows, so that one object serves image after image. Its contents are not kept when it grows.
class PixelBuffer {
 public:
  std::uint8_t* grow(std::size_t bytes) {
    if (bytes > capacity_) {
      memory_ = std::make_unique_for_overwrite<std::uint8_t[]>(bytes);
      capacity_ = bytes;
    }
    return memory_.get();
  }
  std::uint8_t* data() { return memory_.get(); }
  const std::uint8_t* data() const { return memory_.get(); }
  std::size_t capacity() const { return capacity_; }

 private:
  std::unique_ptr<std::uint8_t[]> memory_;
  std::size_t capacity_ = 0;
};

/// A decoded image: u8 [height, width, channels] without gaps.
class Image {
 public:
  /// Makes room; what the pixels hold is not said.
  void reshape(std::int64_t height, std::int64_t width, std::int64_t channels) {
    height_ = height;
    width_ = width;
    channels_ = channels;
    buffer_.grow(bytes());
  }
  std::int64_t height() const { return height_; }
  std::int64_t width() const { return width_; }
  std::int64_t channels() const { return channels_; }
  std::size_t row_bytes() const { return static_cast<std::size_t>(width_ * channels_); }
  std::size_t bytes() const { return static_cast<std::size_t>(height_) * row_bytes(); }
  std::uint8_t* data() { return buffer_.data(); }
  const std::uint8_t* data() const { return buffer_.data(); }
  ImageView view() const {
    return {.pixels = data(), .height = height_, .width = width_, .channels = channels_, .row_bytes = row_bytes()};
  }

 private:
  std::int64_t height_ = 0;
  std::int64_t width_ = 0;
  std::int64_t channels_ = 0;
  PixelBuffer buffer_;
};

}  // namespace graft
