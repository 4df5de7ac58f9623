#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Extents of a batch that is made from images in device memory.
struct GatherShape {
  std::int64_t batch = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
};

/// engine/backend/images.h: images u8 [M, H, W, C], picks i32 [N, 4], mean and deviation f32 [C], y [N, H, W, C] of
/// `dtype`, f32 or bf16.
void gather_images(const Stream& stream, DType dtype, const GatherShape& shape, const std::uint8_t* images,
                   const std::int32_t* picks, const float* mean, const float* deviation, void* y);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
