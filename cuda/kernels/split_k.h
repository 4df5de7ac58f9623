#pragma once

#include <cstdint>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// c[i] = sum over s of partials[s][i] [+ bias[i mod columns]] [then ReLU], in ascending s. partials f32 [splits,
/// count]; c f32 or bf16 [count]; bias f32 [columns] or null.
struct SplitSum {
  int splits = 1;
  std::int64_t count = 0;
  std::int64_t columns = 1;
  bool relu = false;
  DType output = DType::f32;
};
void sum_splits(const Stream& stream, const SplitSum& sum, const float* partials, const float* bias, void* c);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
