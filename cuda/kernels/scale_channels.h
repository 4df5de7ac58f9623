#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// x, y, dx, dy [images, positions, channels]; s, ds [images, channels]; contracts as in engine/backend/channels.h.
struct ScaleChannels {
  std::int64_t images = 0;
  std::int64_t positions = 0;
  std::int64_t channels = 0;
};

void scale_channels(const Stream& stream, DType dtype, const ScaleChannels& shape, const void* x, const void* s,
                    void* y);
/// `dx` may be null, and then `s`.
void scale_channels_backward(const Stream& stream, DType dtype, const ScaleChannels& shape, const void* dy,
                             const void* x, const void* s, void* dx, void* ds);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
