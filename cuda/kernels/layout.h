#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/runtime/stream.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Matrices of elements of 1, 2, 4 or 8 bytes.
struct MatrixBatch {
  std::int64_t matrices = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::size_t element_bytes = 4;
};

/// y [matrices, columns, rows] = x [matrices, rows, columns], transposed byte for byte.
void transpose(const Stream& stream, const MatrixBatch& shape, const void* x, void* y);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
