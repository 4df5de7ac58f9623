#pragma once

#include "cuda/kernels/device/bf16.cuh"
#include "engine/base/dtype.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// body(float{}) or body(bf16{}): the device type of a dtype that this backend computes with. Callers have checked it.
template <class Body>
void with_float_type(DType dtype, const Body& body) {
  if (dtype == DType::bf16) {
    body(bf16{});
  } else {
    body(float{});
  }
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
