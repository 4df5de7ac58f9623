#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/vector_io.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

inline constexpr std::int64_t kIgnoredLabel = -1;

/// Blocks of kernels that take rows of logits one a block, each leaving one partial result.
inline constexpr std::int64_t kMostRowBlocks = 2048;
inline dim3 row_grid(std::int64_t rows) { return blocks_for(std::min(rows, kMostRowBlocks)); }

/// body(class, logit) for the classes of a row that fall to this thread, N neighbouring ones at a time. The row starts
/// at a multiple of N elements, and N divides the classes.
template <int kThreads, int N, class T, class Body>
__device__ __forceinline__ void for_each_class(const T* row, std::int64_t classes, const Body& body) {
#pragma unroll 2
  for (std::int64_t c = std::int64_t{threadIdx.x} * N; c < classes; c += kThreads * N) {
    float logit[N];
    load_floats<N>(row + c, logit);
#pragma unroll
    for (int k = 0; k < N; ++k) body(c + k, logit[k]);
  }
}

/// body(type, threads, vector): the device type, how many threads take a row, and how many logits are read at a time.
template <class Body>
void with_row_types(DType dtype, std::int64_t classes, bool aligned, const Body& body) {
  with_float_type(dtype, [&](auto type) {
    constexpr int kElements = kVectorElements<decltype(type)>;
    const auto with_threads = [&](auto threads) {
      if (aligned && classes % kElements == 0) {
        body(type, threads, std::integral_constant<int, kElements>{});
      } else {
        body(type, threads, std::integral_constant<int, 1>{});
      }
    };
    if (classes <= 256) return with_threads(std::integral_constant<int, 32>{});
    if (classes <= 8192) return with_threads(std::integral_constant<int, 128>{});
    with_threads(std::integral_constant<int, 512>{});
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
