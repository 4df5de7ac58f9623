#pragma once

#include <cstddef>

#include "cuda/kernels/tensor_group.h"
#include "cuda/runtime/stream.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Bytes of scratch of clip_scale.
std::size_t clip_scratch_bytes(const TensorGroup<1>& gradients);
/// scale [1] = min(1, max_norm / (norm + 1e-6)), norm [1] = the L2 norm of all gradients together.
void clip_scale(const Stream& stream, const TensorGroup<1>& gradients, double max_norm, void* scratch, float* scale,
                float* norm);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
