#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Logits and their targets, entry by entry, as in engine/backend/loss.h. A kernel cannot throw: a target above 1 or
/// NaN makes the loss, and its entry of dlogits, NaN.
struct TargetedLogits {
  DType dtype = DType::f32;
  const void* logits = nullptr;
  const float* targets = nullptr;
  std::int64_t count = 0;
};

/// Bytes of workspace that sigmoid_cross_entropy overwrites.
std::size_t sigmoid_cross_entropy_workspace_bytes();

/// loss [1] f32; dlogits [count] or null, may be the logits.
void sigmoid_cross_entropy(const Stream& stream, const TargetedLogits& in, void* workspace, float* loss, void* dlogits);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
