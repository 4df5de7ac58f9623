#pragma once

#include <cstdint>

#include "cuda/platform.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// One direction of a pooling, height or width: window o sees positions o * stride + k * dilation - before for
/// 0 <= k < kernel, as far as they lie in [0, extent).
struct PoolAxis {
  int extent = 0;   ///< of the image
  int windows = 0;  ///< of the result
  int kernel = 1;
  int stride = 1;
  int dilation = 1;
  int before = 0;  ///< padding at the top or on the left
};

/// x [images, rows.extent, columns.extent, channels] against y [images, rows.windows, columns.windows, channels].
struct PoolShape {
  std::int64_t images = 0;
  PoolAxis rows, columns;
  std::int64_t channels = 0;

  std::int64_t image_elements() const { return images * rows.extent * columns.extent * channels; }
  std::int64_t pooled_elements() const { return images * rows.windows * columns.windows * channels; }
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
