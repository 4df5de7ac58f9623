#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// y[r, c] = x[r, c] [+ bias[c]] [+ residual[r, c]] [then ReLU]: what follows a library's product. x f32 or, like y,
/// bf16; `bias` f32 or null, `residual` of y's dtype or null. y may be x where their dtypes are the same.
void bias_relu(const Stream& stream, DType x_dtype, DType y_dtype, const void* x, const float* bias,
               const void* residual, bool relu, std::int64_t rows, std::int64_t columns, void* y);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
