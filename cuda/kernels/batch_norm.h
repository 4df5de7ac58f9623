#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

// Batch normalisation over the channels of [rows, channels]; contracts as in engine/backend/norm.h, with at least one
// channel. What is per channel is f32 [channels]; null pointers stand for what is not given or not wanted.

struct BatchNormShape {
  std::int64_t rows = 0;
  std::int64_t channels = 0;
  DType dtype = DType::f32;
};

/// Mean and deviation of each channel: as saved for backward (an inverse deviation) or as running (a variance).
struct ChannelStatistics {
  const float* mean = nullptr;
  const float* second = nullptr;  ///< 1 / sqrt(var + eps), or var where `is_variance`
  bool is_variance = false;
  float eps = 0.0f;  ///< of a variance
};

/// Bytes of scratch of batch_norm_statistics, batch_norm_train_backward and batch_norm_eval_backward.
std::size_t batch_norm_scratch_bytes(const Device& device, const BatchNormShape& shape);

struct BatchNormUpdate {
  double eps = 1e-5;
  double momentum = 0.1;
  float* running_mean = nullptr;
  float* running_var = nullptr;
};

/// Mean and inverse deviation of x, and the running statistics. With no rows the first two are 0 and the others stay.
void batch_norm_statistics(const Stream& stream, const BatchNormShape& shape, const void* x,
                           const BatchNormUpdate& update, void* scratch, float* mean, float* inverse_deviation);

struct BatchNormAffine {
  const float* scale = nullptr;
  const float* shift = nullptr;
  bool rectifies = false;  ///< y is between 0 and the ceiling: ReLU, ReLU6
  float ceiling = std::numeric_limits<float>::infinity();
};

/// y = act(scale (x - mean) inverse deviation + shift [+ residual]).
void batch_norm_apply(const Stream& stream, const BatchNormShape& shape, const void* x, const void* residual,
                      const ChannelStatistics& statistics, const BatchNormAffine& affine, void* y);

/// `y` is null iff there was no activation.
struct BatchNormGradientInputs {
  const void* dy = nullptr;
  const void* x = nullptr;
  const void* y = nullptr;
  const float* scale = nullptr;
  float ceiling = std::numeric_limits<float>::infinity();  ///< of y
};
struct BatchNormGradients {
  void* dx = nullptr;
  void* dresidual = nullptr;
  float* dscale = nullptr;
  float* dshift = nullptr;
};

void batch_norm_train_backward(const Stream& stream, const BatchNormShape& shape, const BatchNormGradientInputs& in,
                               const ChannelStatistics& statistics, void* scratch, const BatchNormGradients& out);
void batch_norm_eval_backward(const Stream& stream, const BatchNormShape& shape, const BatchNormGradientInputs& in,
                              const ChannelStatistics& statistics, void* scratch, const BatchNormGradients& out);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
