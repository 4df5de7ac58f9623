#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Pieces of rows, in bytes: piece [0, piece) of each of `rows` rows, which follow each other at x_row and y_row bytes.
struct RowPieces {
  std::int64_t rows = 0;
  std::int64_t piece = 0;
  std::int64_t x_row = 0;
  std::int64_t y_row = 0;
};

/// `x` and `y` are where the first row's piece begins; it does not overlap any of the other's.
void copy_row_pieces(const Stream& stream, const RowPieces& pieces, const void* x, void* y);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
