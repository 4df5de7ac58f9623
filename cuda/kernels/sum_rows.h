#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// y[c] = the sum over rows of x [rows, channels], f32 or bf16; y f32. `workspace` of `workspace_bytes` is overwritten.
void sum_rows(const Stream& stream, DType dtype, const void* x, std::int64_t rows, std::int64_t channels,
              void* workspace, std::size_t workspace_bytes, float* y);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
