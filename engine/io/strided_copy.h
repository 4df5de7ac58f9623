#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace graft {

/// Copies the elements of a strided array, `element` bytes each, into row-major order. `source` starts at the array's
/// first element; extents and strides count elements, and every element must lie within `source`.
void copy_strided(std::span<const std::byte> source, std::size_t element, std::span<const std::int64_t> shape,
                  std::span<const std::int64_t> strides, std::span<std::byte> destination);

/// The strides of an array whose first index runs fastest (Fortran order).
std::vector<std::int64_t> column_major_strides(std::span<const std::int64_t> shape);

}  // namespace graft
