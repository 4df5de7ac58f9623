#pragma once

#include "cuda/kernels/conv_problem.h"
#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// dx from dy and w for any problem, in f32 arithmetic: dy, w and dx of `dtype` (f32 or bf16). Contract as in
/// engine/backend/conv.h. Needs no scratch.
void conv_simt_backward_data(const Stream& stream, DType dtype, const ConvProblem& problem, const void* dy,
                             const void* w, void* dx);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
