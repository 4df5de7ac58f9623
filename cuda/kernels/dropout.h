#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Which elements are kept: element i of step s iff uniform_float of word i of that step (engine/base/philox.h) >= p.
struct DropoutMask {
  float threshold = 0.5f;              ///< DropoutOptions::threshold(): p as draws are compared with it
  float keep_scale = 2.0f;             ///< 1 / (1 - p)
  std::uint64_t key = 0;               ///< RandomStream::key()
  const std::int64_t* step = nullptr;  ///< [1] in device memory
};

/// y = x / (1 - p) where kept, else 0, over `count` elements of f32 or bf16.
void dropout(const Stream& stream, DType dtype, const void* x, const DropoutMask& mask, void* y, std::int64_t count);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
