#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/cpu/winograd_kernels.h"

namespace graft::winograd {

/// Part `index` of `parts` nearly equal contiguous parts of [begin, end).
struct Range {
  std::int64_t begin, end;
  std::int64_t count() const { return end - begin; }
  Range part(std::int64_t index, std::int64_t parts) const {
    return {begin + count() * index / parts, begin + count() * (index + 1) / parts};
  }
};

/// Hands out parts of a scratch buffer, each aligned to a cache line, and counts them.
class ScratchLayout {
 public:
  /// Offset in bytes of a part of `count` floats.
  std::size_t floats(std::int64_t count) {
    const std::size_t offset = bytes_;
    bytes_ += (static_cast<std::size_t>(count) * sizeof(float) + 63) / 64 * 64;
    return offset;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

inline float* at(void* scratch, std::size_t offset) {
  return reinterpret_cast<float*>(static_cast<std::byte*>(scratch) + offset);
}

/// Tiles of a block: what a thread writes for it, 144 bytes a channel and tile, should take at most `cache_bytes`, but
/// at least `least` tiles are worth the weights that they are multiplied with. Multiples of the 14 rows of the
/// products' register blocks.
inline std::int64_t tiles_of_block(std::int64_t channels, std::int64_t tiles_of_thread, std::int64_t cache_bytes,
                                   std::int64_t least) {
  constexpr std::int64_t kRows = 14;
  const std::int64_t fitting = cache_bytes / (kPoints * 4 * channels) / kRows * kRows;
  return std::min(std::clamp<std::int64_t>(fitting, least, 16 * kRows), std::max<std::int64_t>(tiles_of_thread, 1));
}

}  // namespace graft::winograd
