#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// y = (x / 255 - mean[c]) / deviation[c] over `count` elements of u8 whose channel c is the index modulo `channels`;
/// mean, deviation f32 [channels]; y f32 or bf16.
void normalize_images(const Stream& stream, const std::uint8_t* x, const float* mean, const float* deviation,
                      DType dtype, void* y, std::int64_t count, std::int64_t channels);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
