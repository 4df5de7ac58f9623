#pragma once

#include "cuda/kernels/device/column_tile.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// out[row block, c] = factor * the sum of x[., c] over the rows of the block, in f32; four loads in flight a thread.
template <int N, class T, class Out>
__global__ void __launch_bounds__(kBlockThreads, kReducingBlocks)
    column_sums_kernel(const T* x, ColumnTiling tiling, float factor, Out* out) {
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

/// y[c] = the sum of partial [row_blocks, channels] over the row blocks.
template <int kChannels>
__global__ void join_sums_kernel(const float* partial, std::int64_t row_blocks, std::int64_t channels, float* y) {
  const std::int64_t c = std::int64_t{blockIdx.x} * kChannels + threadIdx.x % kChannels;
  float sum[1] = {};
  if (c < channels) {
#pragma unroll 4
    for (std::int64_t block = threadIdx.x / kChannels; block < row_blocks; block += kBlockThreads / kChannels)
      sum[0] += partial[block * channels + c];
  }
  fold_rows(sum, kChannels, AddValues{});
  if (threadIdx.x < kChannels && c < channels) y[c] = sum[0];
}

inline void join_sums(const Stream& stream, const float* partial, std::int64_t row_blocks, std::int64_t channels,
                      float* y) {
  launch(stream, {.kernel = "sum_rows_join", .grid = joining_grid(channels), .block = kBlockThreads},
         join_sums_kernel<kJoinChannels>, partial, row_blocks, channels, y);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
