#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/backend/adaptive_window.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// x, dx [images, rows.extent, columns.extent, channels]; y, dy [images, rows.windows, columns.windows, channels];
/// contracts as in engine/backend/pool.h.
struct AdaptivePoolShape {
  std::int64_t images = 0;
  AdaptiveAxis rows, columns;
  std::int64_t channels = 0;
};

void adaptive_avg_pool_forward(const Stream& stream, DType dtype, const AdaptivePoolShape& shape, const void* x,
                               void* y);
void adaptive_avg_pool_backward(const Stream& stream, DType dtype, const AdaptivePoolShape& shape, const void* dy,
                                void* dx);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
