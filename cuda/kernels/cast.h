#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// y = x converted, `count` elements: f32, bf16 or u8 to f32 or bf16, and i32 or i64 to each other.
void cast(const Stream& stream, DType from, const void* x, DType to, void* y, std::int64_t count);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
