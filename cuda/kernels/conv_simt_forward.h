#pragma once

#include "cuda/kernels/conv_problem.h"
#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// y = conv(x, w) and its epilogue for any problem, in f32 arithmetic: x, w and y of `dtype` (f32 or bf16). Contract as
/// in engine/backend/conv.h. Needs no scratch.
void conv_simt_forward(const Stream& stream, DType dtype, const ConvProblem& problem, const void* x, const void* w,
                       const ConvEpilogue& epilogue, void* y);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
