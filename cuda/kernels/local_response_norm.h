#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Rows of `channels`; contracts as in engine/backend/local_response_norm.h.
struct LocalResponseNorm {
  std::int64_t rows = 0;
  std::int64_t channels = 0;
  int before = 2;  ///< channels of a window before and after its own
  int after = 2;
  float k = 1.0f;
  float share = 0.0f;  ///< alpha / size
  float beta = 0.75f;
};

void local_response_norm_forward(const Stream& stream, DType dtype, const LocalResponseNorm& norm, const void* x,
                                 void* y);
void local_response_norm_backward(const Stream& stream, DType dtype, const LocalResponseNorm& norm, const void* dy,
                                  const void* x, void* dx);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
