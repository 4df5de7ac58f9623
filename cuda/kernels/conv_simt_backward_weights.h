#pragma once

#include <cstddef>

#include "cuda/kernels/conv_problem.h"
#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// dw, f32 [out_channels, kernel_height, kernel_width, group_channels], from x and dy of `dtype` (f32 or bf16) for any
/// problem, in f32 arithmetic. Contract as in engine/backend/conv.h. `scratch`: f32 of at least
/// conv_simt_backward_weights_scratch_bytes on the same device kind, null where that is 0.
void conv_simt_backward_weights(const Stream& stream, DType dtype, const ConvProblem& problem, const void* x,
                                const void* dy, float* scratch, float* dw);
std::size_t conv_simt_backward_weights_scratch_bytes(const Stream& stream, const ConvProblem& problem);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
