#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// x, dx [images, positions, channels]; y, dy [images, channels]; contracts as in engine/backend/pool.h.
struct GlobalPoolShape {
  std::int64_t images = 0;
  std::int64_t positions = 0;
  std::int64_t channels = 0;
};

void global_avg_pool_forward(const Stream& stream, DType dtype, const GlobalPoolShape& shape, const void* x, void* y);
void global_avg_pool_backward(const Stream& stream, DType dtype, const GlobalPoolShape& shape, const void* dy,
                              void* dx);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
