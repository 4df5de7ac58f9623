#pragma once

#include <cstddef>

#include "cuda/kernels/conv_problem.h"
#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

// Convolutions in which every group has one input channel, and out_channels / channels output channels. Contracts as in
// engine/backend/conv.h; tensors of `dtype` (f32 or bf16), sums in f32.

/// True iff these kernels take the problem: depthwise, and its kernel fits into shared memory.
bool conv_depthwise_supports(const ConvProblem& problem);

void conv_depthwise_forward(const Stream& stream, DType dtype, const ConvProblem& problem, const void* x, const void* w,
                            const ConvEpilogue& epilogue, void* y);
void conv_depthwise_backward_data(const Stream& stream, DType dtype, const ConvProblem& problem, const void* dy,
                                  const void* w, void* dx);
/// dw f32. `scratch`: f32 of at least conv_depthwise_backward_weights_scratch_bytes on the same device kind, null where
/// that is 0.
void conv_depthwise_backward_weights(const Stream& stream, DType dtype, const ConvProblem& problem, const void* x,
                                     const void* dy, float* scratch, float* dw);
std::size_t conv_depthwise_backward_weights_scratch_bytes(const Stream& stream, const ConvProblem& problem);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
