#include "engine/io/strided_copy.h"

#include <cstring>

namespace graft {

void copy_strided(std::span<const std::byte> source, std::size_t element, std::span<const std::int64_t> shape,
                  std::span<const std::int64_t> strides, std::span<std::byte> destination) {
  std::vector<std::int64_t> index(shape.size(), 0);
  std::uint64_t from = 0;
  for (std::size_t to = 0; to < destination.size(); to += element) {
    std::memcpy(destination.data() + to, source.data() + from * element, element);
    for (std::size_t i = shape.size(); i-- > 0;) {
      from += static_cast<std::uint64_t>(strides[i]);
      if (++index[i] < shape[i]) break;
      from -= static_cast<std::uint64_t>(strides[i]) * static_cast<std::uint64_t>(shape[i]);
      index[i] = 0;
    }
  }
}

std::vector<std::int64_t> column_major_strides(std::span<const std::int64_t> shape) {
  std::vector<std::int64_t> strides;
  std::uint64_t stride = 1;
  for (const std::int64_t extent : shape) {
    strides.push_back(static_cast<std::int64_t>(stride));
    stride *= static_cast<std::uint64_t>(extent);
  }
  return strides;
}

}  // namespace graft
