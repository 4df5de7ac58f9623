#pragma once

#include "cuda/device.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// How a set of `added` values joins one of `count` (Chan, Golub and LeVeque 1983): the same for all channels.
struct MomentShares {
  float mean;     ///< of the difference of the means that goes to the mean
  float squares;  ///< of its square that goes to the sum of squared deviations

  __device__ __forceinline__ MomentShares(float count, float added)
      : mean(added > 0.0f ? added / (count + added) : 0.0f), squares(mean * count) {}

  /// Joins the mean and the sum of squared deviations of the added values.
  __device__ __forceinline__ void join(float& mean_of_all, float& squares_of_all, float added_mean,
                                       float added_squares) const {
    const float difference = added_mean - mean_of_all;
    mean_of_all = fmaf(difference, mean, mean_of_all);
    squares_of_all += fmaf(difference * difference, squares, added_squares);
  }
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
