#pragma once

#include <cstdint>

#include "cuda/kernels/pool_shape.h"
#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Contracts as in engine/backend/pool.h. `indices` [images, rows.windows, columns.windows, channels] may be null
/// forward.
void max_pool_forward(const Stream& stream, DType dtype, const PoolShape& shape, const void* x, void* y,
                      std::int32_t* indices);
void max_pool_backward(const Stream& stream, DType dtype, const PoolShape& shape, const void* dy,
                       const std::int32_t* indices, void* dx);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
