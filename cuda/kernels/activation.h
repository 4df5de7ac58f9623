#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/backend/activation_function.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

// Activations over `count` elements of `dtype` (f32 or bf16) in device memory; contracts as in
// engine/backend/activation.h.

void activation_forward(const Stream& stream, Activation activation, DType dtype, const void* x, void* y,
                        std::int64_t count);
void activation_backward(const Stream& stream, Activation activation, DType dtype, const void* x, const void* dy,
                         void* dx, std::int64_t count);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
