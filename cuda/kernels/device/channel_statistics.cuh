#pragma once

#include "cuda/kernels/batch_norm.h"
#include "cuda/kernels/device/vector_io.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// 1 / sqrt(var + eps) of N channels from `channel` on. Where N is a vector, so is what the statistics point to.
template <int N>
__device__ __forceinline__ void load_inverse_deviations(const ChannelStatistics& statistics, std::int64_t channel,
                                                        float (&to)[N]) {
  load_floats<N>(statistics.second + channel, to);
  if (!statistics.is_variance) return;
#pragma unroll
  for (float& value : to) value = 1.0f / sqrtf(value + statistics.eps);
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
