#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

// Elementwise kernels over `count` elements of `dtype` (f32 or bf16) in device memory; contracts as in
// engine/backend/elementwise.h.

void add(const Stream& stream, DType dtype, const void* a, const void* b, void* y, std::int64_t count);
/// `factor` f32 [1] in device memory.
void scale(const Stream& stream, DType dtype, const void* x, const float* factor, void* y, std::int64_t count);
void relu_forward(const Stream& stream, DType dtype, const void* x, void* y, std::int64_t count);
void relu_backward(const Stream& stream, DType dtype, const void* dy, const void* y, void* dx, std::int64_t count);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
