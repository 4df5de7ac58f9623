#pragma once

#include <cstdint>

#include "cuda/kernels/dropout.h"
#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// x, y [images, size]: rows kept or dropped whole, row n by word n of the step; contract as in
/// engine/backend/elementwise.h.
void drop_path(const Stream& stream, DType dtype, const void* x, const DropoutMask& mask, void* y, std::int64_t images,
               std::int64_t size);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
