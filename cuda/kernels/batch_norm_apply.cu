// y = act(scale (x - mean) inverse deviation + shift [+ residual]): the second half of batch normalisation in training,
// the whole of it in evaluation.
//
// Threads: each has a vector of channels, whose mean, slope and offset it keeps in registers, and takes every step-th
// row of its block, four (with a residual two) loads in flight. Blocks go through the matrix from its end: what
// batch_norm_statistics has read last is still in the cache.
// Bound: memory; x, y and the residual once each.

#include "cuda/kernels/batch_norm.h"
#include "cuda/kernels/device/channel_statistics.cuh"
#include "cuda/kernels/device/column_tile.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

template <int N, bool kResidual, bool kRectifies, class T>
__global__ void __launch_bounds__(kBlockThreads, kMappingBlocks)
    batch_norm_apply_kernel(const T* x, const T* residual, ChannelStatistics statistics, const float* scale,
                            const float* shift, float ceiling, ColumnTiling tiling, T* y) {
  constexpr int kRows = kResidual ? 2 : 4;
  const ColumnPlace place(tiling, gridDim.x - 1 - blockIdx.x);
  if (!place.active) return;
  float mean[N];
  float slope[N];
  float inverse[N];
  float offset[N];
  load_floats<N>(statistics.mean + place.channel, mean);
  load_floats<N>(scale + place.channel, slope);
  load_floats<N>(shift + place.channel, offset);
  load_inverse_deviations(statistics, place.channel, inverse);
#pragma unroll
  for (int k = 0; k < N; ++k) slope[k] *= inverse[k];
  for (std::int64_t row = place.first_row; row < place.end_row; row += kRows * place.step) {
    Vector<T, N> from[kRows] = {};
    Vector<T, N> added[kRows] = {};
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      const std::int64_t at = row + r * place.step;
      if (at >= place.end_row) continue;
      from[r] = load_vector<N>(x + at * tiling.channels + place.channel);
      if constexpr (kResidual) added[r] = load_vector<N>(residual + at * tiling.channels + place.channel);
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      const std::int64_t at = row + r * place.step;
      if (at >= place.end_row) continue;
      float to[N];
#pragma unroll
      for (int k = 0; k < N; ++k) {
        to[k] = fmaf(to_float(from[r].element[k]) - mean[k], slope[k], offset[k]);
        if constexpr (kResidual) to[k] += to_float(added[r].element[k]);
        if constexpr (kRectifies) to[k] = to[k] < 0.0f ? 0.0f : (to[k] > ceiling ? ceiling : to[k]);
      }
      store_floats<N>(y + at * tiling.channels + place.channel, to);
    }
  }
}

}  // namespace

void batch_norm_apply(const Stream& stream, const BatchNormShape& shape, const void* x, const void* residual,
                      const ChannelStatistics& statistics, const BatchNormAffine& affine, void* y) {
  if (shape.rows == 0) return;
  const bool aligned = aligned_to_16(x, residual, y, statistics.mean, statistics.second, affine.scale, affine.shift);
  with_column_types(shape.dtype, shape.channels, aligned, [&](auto type, auto vector) {
    using T = decltype(type);
    constexpr int kVector = decltype(vector)::value;
    const ColumnTiling tiling = mapping_tiling(stream.device(), shape.rows, shape.channels, kVector);
    const auto kernel = residual != nullptr ? (affine.rectifies ? batch_norm_apply_kernel<kVector, true, true, T>
                                                                : batch_norm_apply_kernel<kVector, true, false, T>)
                                            : (affine.rectifies ? batch_norm_apply_kernel<kVector, false, true, T>
                                                                : batch_norm_apply_kernel<kVector, false, false, T>);
    launch(stream, {.kernel = "batch_norm_apply", .grid = tiling.grid(), .block = kBlockThreads}, kernel,
           static_cast<const T*>(x), static_cast<const T*>(residual), statistics, affine.scale, affine.shift,
           affine.ceiling, tiling, static_cast<T*>(y));
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
