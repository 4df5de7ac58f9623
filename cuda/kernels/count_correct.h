#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/kernels/softmax_cross_entropy.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Bytes of workspace that count_correct overwrites.
std::size_t count_correct_workspace_bytes();

/// count [1]: rows whose label is among the k largest logits, as in engine/backend/loss.h. A label that names no class
/// is wrong.
void count_correct(const Stream& stream, const LabelledLogits& in, std::int64_t k, void* workspace,
                   std::int64_t* count);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
