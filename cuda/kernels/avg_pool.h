#pragma once

#include <cstdint>

#include "cuda/kernels/pool_shape.h"
#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Contracts as in engine/backend/pool.h, without dilation. A window's sum is divided by the size of the kernel where
/// `count_padding`, else by the positions inside the image that it sees.
void avg_pool_forward(const Stream& stream, DType dtype, const PoolShape& shape, bool count_padding, const void* x,
                      void* y);
void avg_pool_backward(const Stream& stream, DType dtype, const PoolShape& shape, bool count_padding, const void* dy,
                       void* dx);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
