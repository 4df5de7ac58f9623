#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "engine/io/format_fault.h"

namespace graft {

/// Bytes as text.
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The part [begin, begin + size) of `bytes`; a FormatFault that calls it `what` if it does not lie within.
inline std::span<const std::byte> part_of(std::span<const std::byte> bytes, std::uint64_t begin, std::uint64_t size,
                                          std::string_view what) {
  if (begin > bytes.size() || size > bytes.size() - begin) {
    damaged("{} lies beyond the {} bytes that are there", what, bytes.size());
  }
  return bytes.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(size));
}

/// Reads bytes front to back; going beyond the end is a FormatFault that calls the bytes `what`. Both must outlive it.
class ByteCursor {
 public:
  ByteCursor(std::span<const std::byte> bytes, std::string_view what) : bytes_(bytes), what_(what) {}

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }

  std::span<const std::byte> take(std::uint64_t count) {
    if (count > remaining()) damaged("{} ends early: {} bytes wanted, {} there", what_, count, remaining());
    const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += taken.size();
    return taken;
  }

  /// A little-endian number.
  template <class T>
  T little() {
    static_assert(std::is_arithmetic_v<T>);
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  /// Text up to '\n', which is taken too.
  std::string_view line() {
    const std::string_view rest = as_text(bytes_.subspan(position_));
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) damaged("{} ends within a line", what_);
    position_ += end + 1;
    return rest.substr(0, end);
  }

 private:
  std::span<const std::byte> bytes_;
  std::string_view what_;
  std::size_t position_ = 0;
};

}  // namespace graft
