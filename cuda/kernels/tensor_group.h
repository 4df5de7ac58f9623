#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "cuda/platform.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Arrays of one tensor of a parameter group, f32 [count] each: the parameter, its gradient, its state.
template <int kStreams>
struct TensorRow {
  std::array<float*, static_cast<std::size_t>(kStreams)> data{};
  std::int64_t count = 0;
};
template <int kStreams>
using TensorGroup = std::vector<TensorRow<kStreams>>;

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
