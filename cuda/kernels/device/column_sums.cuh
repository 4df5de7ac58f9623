#pragma once

#include "cuda/kernels/device/column_tile.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// out[row block, c] = factor * the sum of x[., c] over the rows of the block, in f32; four loads in flight a thread.
template <int N, class T, class Out>
__global__ __launch_bounds__(kBlockThreads, kReducingBlocks) void column_sums_kernel(const T* x, ColumnTiling tiling,
                                                                                     float factor, Out* out) {
  constexpr int kRows = 4;
  const ColumnPlace place(tiling);
  float sum[N] = {};
  for (std::int64_t row = place.first_row; row < place.end_row; row += kRows * place.step) {
    Vector<T, N> loaded[kRows] = {};
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      const std::int64_t at = row + r * place.step;
      if (at < place.end_row) loaded[r] = load_vector<N>(x + at * tiling.channels + place.channel);
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
#pragma unroll
      for (int k = 0; k < N; ++k) sum[k] += to_float(loaded[r].element[k]);
    }
  }
  fold_rows(sum, tiling.lanes, AddValues{});
  if (static_cast<int>(threadIdx.x) >= tiling.lanes || !place.active) return;
#pragma unroll
  for (int k = 0; k < N; ++k)
    out[place.row_block * tiling.channels + place.channel + k] = from_float<Out>(factor * sum[k]);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
