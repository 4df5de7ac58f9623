#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/kernels/tensor_group.h"
#include "cuda/runtime/stream.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

// Steps over whole parameter groups; contracts as in engine/backend/optim.h. Scalars that change from step to step lie
// in device memory.

struct SgdStep {
  const float* lr = nullptr;
  const float* gradient_scale = nullptr;  ///< null: 1
  float weight_decay = 0.0f;
  float momentum = 0.0f;
  bool nesterov = false;
};
/// Rows: parameter, gradient.
void sgd_step(const Stream& stream, const TensorGroup<2>& group, const SgdStep& step);
/// Rows: parameter, gradient, velocity.
void sgd_momentum_step(const Stream& stream, const TensorGroup<3>& group, const SgdStep& step);

struct AdamWStep {
  const float* lr = nullptr;
  const std::int64_t* step = nullptr;
  const float* gradient_scale = nullptr;  ///< null: 1
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
};
/// Rows: parameter, gradient, first moment, second moment.
void adamw_step(const Stream& stream, const TensorGroup<4>& group, const AdamWStep& step);

/// counter [1] += 1.
void advance(const Stream& stream, std::int64_t* counter);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
