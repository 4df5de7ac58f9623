#pragma once

#include "cuda/kernels/batch_norm.h"
#include "cuda/kernels/device/vector_io.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// 1 / sqrt(var + eps) of channel c.
__device__ __forceinline__ float inverse_deviation_of(const ChannelStatistics& statistics, std::int64_t c) {
  const float second = statistics.second[c];
  return statistics.is_variance ? 1.0f / sqrtf(second + statistics.eps) : second;
}

/// The partial results of row blocks in scratch: `values` f32 for each channel of each row block, value-major.
struct PartialResults {
  float* data;
  std::int64_t row_blocks;
  std::int64_t channels;
  __device__ __forceinline__ float* at(int value, std::int64_t row_block, std::int64_t channel) const {
    return data + (value * row_blocks + row_block) * channels + channel;
  }
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
