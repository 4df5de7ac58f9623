#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/device.cuh"
#include "cuda/kernels/device/grid.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// How bytes of pictures become numbers, (x / 255 - mean[c]) / deviation[c], as one multiply-add by factors of the
/// channel. A block works them out once into its dynamic shared memory; of more channels than fit, where they are used.
class Normalization {
 public:
  struct Factors {
    float slope, offset;
    __device__ __forceinline__ float operator()(float x) const { return fmaf(x, slope, offset); }
  };

  /// Dynamic shared memory of the launch.
  static std::size_t shared_bytes(std::int64_t channels) {
    return channels <= kTableChannels ? static_cast<std::size_t>(channels) * sizeof(Factors) : 0;
  }

  /// By all threads of the block, kBlockThreads of them: ends with a barrier.
  __device__ __forceinline__ Normalization(const float* mean, const float* deviation, std::int64_t channels)
      : mean_(mean), deviation_(deviation), table_(channels <= kTableChannels ? dynamic_shared<Factors>() : nullptr) {
    if (table_ != nullptr) {
      for (unsigned c = threadIdx.x; c < channels; c += kBlockThreads) table_[c] = factors(c);
    }
    __syncthreads();
  }

  __device__ __forceinline__ Factors operator()(std::int64_t c) const {
    return table_ != nullptr ? table_[c] : factors(c);
  }

 private:
  static constexpr std::int64_t kTableChannels = 1024;

  __device__ __forceinline__ Factors factors(std::int64_t c) const {
    return {1.0f / (255.0f * deviation_[c]), -mean_[c] / deviation_[c]};
  }

  const float* mean_;
  const float* deviation_;
  Factors* table_;
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
