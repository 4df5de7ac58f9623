#pragma once

#include <cmath>

#include "cuda/device.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// sigmoid(x) and 1 less that, by one exponential of what is not positive: nothing overflows or cancels.
struct Logistic {
  float value, complement;
  __device__ __forceinline__ explicit Logistic(float x) {
    const float e = expf(-fabsf(x));
    const float share = 1.0f / (1.0f + e);
    const float rest = e * share;
    value = x < 0.0f ? rest : share;
    complement = x < 0.0f ? share : rest;
  }
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
