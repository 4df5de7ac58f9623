#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace graft {

/// Bytes of a dense array of this shape, `element` bytes each; a negative extent or a product of 2^63 and more, which
/// no file can hold, is a FormatFault that calls the array `what`.
std::uint64_t dense_bytes(std::span<const std::int64_t> shape, std::uint64_t element, std::string_view what);

}  // namespace graft
