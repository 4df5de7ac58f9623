#pragma once

#include <cstdint>

#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/simt_tile.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// body(tile) with the SimtTile for `products` products of `rows` x `columns`, a fixed rule of shape and device: the
/// narrowest tile that takes all columns; the large one where it still gives every multiprocessor two blocks.
/// `splits`: into how many products the caller can still cut each one.
template <class Body>
void with_simt_tile(const Stream& stream, std::int64_t rows, std::int64_t columns, std::int64_t products,
                    std::int64_t splits, const Body& body) {
  using Large = SimtTile<128, 128, 8, 8>;
  const std::int64_t large_blocks = divide_up(rows, Large::kM) * divide_up(columns, Large::kN) * products * splits;
  if (columns <= 16) {
    body(SimtTile<128, 16, 8, 4>{});
  } else if (columns <= 32) {
    body(SimtTile<128, 32, 8, 4>{});
  } else if (columns <= 64 || rows <= 64 || large_blocks < 2 * stream.device().multiprocessors) {
    body(SimtTile<64, 64, 8, 8>{});
  } else {
    body(Large{});
  }
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
