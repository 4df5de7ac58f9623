#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Every one of `count` elements of y, of any dtype but f16, becomes `value`, converted.
void fill(const Stream& stream, DType dtype, double value, void* y, std::int64_t count);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
