#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Rows of logits and their labels, as in engine/backend/loss.h. A kernel cannot throw: a label that names no class and
/// is not -1 makes the loss, and its row of dlogits, NaN.
struct LabelledLogits {
  DType dtype = DType::f32;
  const void* logits = nullptr;          ///< [rows, classes]
  const std::int64_t* labels = nullptr;  ///< [rows]
  std::int64_t rows = 0;
  std::int64_t classes = 0;
};

/// Bytes of workspace that softmax_cross_entropy overwrites.
std::size_t softmax_cross_entropy_workspace_bytes();

/// loss [1] f32; dlogits [rows, classes] or null, may be the logits.
void softmax_cross_entropy(const Stream& stream, const LabelledLogits& in, double label_smoothing, void* workspace,
                           float* loss, void* dlogits);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
