#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// y[i] = partial[0][i] + partial[1][i] + ... for sums whose parts several blocks left in scratch; f32 partial
/// [partials, count], y [count]. Added in an order that depends on `partials` alone. `name` is the launch's.
void sum_partials(const Stream& stream, const char* name, const float* partial, std::int64_t partials,
                  std::int64_t count, float* y);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
