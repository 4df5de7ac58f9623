#pragma once

#include <cstddef>

#include "cuda/kernels/conv_problem.h"
#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

// Convolution on tensor cores: of bf16, and of f32 rounded to tf32, which the caller must have been asked for.
// Contracts as in engine/backend/conv.h; what is not supported is for the kernels on CUDA cores (conv_simt_*).

/// True iff the kernels take this problem. Both backward passes: each group's input and output channels are whole
/// chunks of 16 bytes (8 of bf16, 4 of f32), backward data's strides at most 4. Forward: any channels, but fewer than
/// 32 products a sum only where input channels are whole chunks. All: positions fit into 32 bits. Pointers to x, w and
/// dy must be multiples of 16 bytes too.
bool conv_mma_forward_supports(const ConvProblem& problem, DType dtype);
bool conv_mma_backward_data_supports(const ConvProblem& problem, DType dtype);
bool conv_mma_backward_weights_supports(const ConvProblem& problem, DType dtype);

void conv_mma_forward(const Stream& stream, DType dtype, const ConvProblem& problem, const void* x, const void* w,
                      const ConvEpilogue& epilogue, void* y);
void conv_mma_backward_data(const Stream& stream, DType dtype, const ConvProblem& problem, const void* dy,
                            const void* w, void* dx);
/// dw is f32. `scratch`: at least conv_mma_backward_weights_scratch_bytes on the same device kind, null where that is
/// 0.
void conv_mma_backward_weights(const Stream& stream, DType dtype, const ConvProblem& problem, const void* x,
                               const void* dy, float* scratch, float* dw);
std::size_t conv_mma_backward_weights_scratch_bytes(const Device& device, DType dtype, const ConvProblem& problem);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
