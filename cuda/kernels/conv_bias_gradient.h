#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// dbias, f32 [channels]: the sum over `pixels` of dy [pixels, channels] of `dtype` (f32 or bf16). `scratch`: f32 of at
/// least conv_bias_gradient_scratch_bytes on the same device kind, null where that is 0.
void conv_bias_gradient(const Stream& stream, DType dtype, const void* dy, std::int64_t pixels, std::int64_t channels,
                        float* scratch, float* dbias);
std::size_t conv_bias_gradient_scratch_bytes(const Stream& stream, std::int64_t pixels, std::int64_t channels);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
