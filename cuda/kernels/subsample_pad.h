#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// x [images, height, width, channels] against y [images, ceil(height / stride), ceil(width / stride),
/// padded_channels], as in engine/backend/elementwise.h.
struct SubsamplePad {
  std::int64_t images = 0, height = 0, width = 0, channels = 0, padded_channels = 0;
  std::int64_t stride = 1;
};

void subsample_pad_forward(const Stream& stream, DType dtype, const SubsamplePad& shape, const void* x, void* y);
void subsample_pad_backward(const Stream& stream, DType dtype, const SubsamplePad& shape, const void* dy, void* dx);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
