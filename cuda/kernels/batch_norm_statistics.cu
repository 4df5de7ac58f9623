// Mean and variance of each channel of x [rows, channels], and what batch normalisation makes of them.
//
// moments_kernel: the rows are cut over as many blocks as run at once; a thread has a vector of channels and takes four
// rows at a time: their mean, their squared deviations from it in registers, and the two joined to what it has (Chan,
// Golub and LeVeque 1983). That loses no digits where the mean is large against the deviation, and costs little more
// than plain sums. The threads of a block join theirs as a tree through shared memory.
// finish_statistics_kernel: joins the row blocks in a fixed order; a few microseconds.
// Bound: memory; x once.

#include "cuda/kernels/batch_norm.h"
#include "cuda/kernels/device/channel_statistics.cuh"
#include "cuda/kernels/device/column_tile.cuh"
#include "cuda/kernels/device/moments.cuh"
#include "cuda/kernels/fill.h"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kRows = 4;

/// Means, sums of squared deviations and the count of N channels as one array, for fold_rows.
template <int N>
struct JoinMoments {
  __device__ __forceinline__ void operator()(float (&mine)[2 * N + 1], const float (&other)[2 * N + 1]) const {
    const MomentShares shares(mine[2 * N], other[2 * N]);
#pragma unroll
    for (int k = 0; k < N; ++k) shares.join(mine[k], mine[N + k], other[k], other[N + k]);
    mine[2 * N] += other[2 * N];
  }
};

/// Joins kCount rows, loaded from `x` on at intervals of `stride` elements.
template <int kCount, int N, class T>
__device__ __forceinline__ void join_rows(const T* x, std::int64_t stride, float (&moments)[2 * N + 1]) {
  Vector<T, N> rows[kCount];
#pragma unroll
  for (int r = 0; r < kCount; ++r) rows[r] = load_vector<N>(x + r * stride);
  const MomentShares shares(moments[2 * N], static_cast<float>(kCount));
#pragma unroll
  for (int k = 0; k < N; ++k) {
    float sum = 0.0f;
#pragma unroll
    for (int r = 0; r < kCount; ++r) sum += to_float(rows[r].element[k]);
    const float mean = sum * (1.0f / kCount);
    float squares = 0.0f;
#pragma unroll
    for (int r = 0; r < kCount; ++r) {
      const float deviation = to_float(rows[r].element[k]) - mean;
      squares = fmaf(deviation, deviation, squares);
    }
    shares.join(moments[k], moments[N + k], mean, squares);
  }
  moments[2 * N] += static_cast<float>(kCount);
}

template <int N, class T>
__global__ void __launch_bounds__(kBlockThreads, kReducingBlocks)
    moments_kernel(const T* x, ColumnTiling tiling, PartialResults partial) {
  const ColumnPlace place(tiling);
  const std::int64_t stride = place.step * tiling.channels;
  float moments[2 * N + 1] = {};
  std::int64_t row = place.first_row;
  for (; row + (kRows - 1) * place.step < place.end_row; row += kRows * place.step)
    join_rows<kRows, N>(x + row * tiling.channels + place.channel, stride, moments);
  for (; row < place.end_row; row += place.step)
    join_rows<1, N>(x + row * tiling.channels + place.channel, stride, moments);
  fold_rows(moments, tiling.lanes, JoinMoments<N>{});
  if (static_cast<int>(threadIdx.x) >= tiling.lanes || !place.active) return;
#pragma unroll
  for (int k = 0; k < N; ++k) {
    *partial.at(0, place.row_block, place.channel + k) = moments[k];
    *partial.at(1, place.row_block, place.channel + k) = moments[N + k];
  }
}

__global__ void finish_statistics_kernel(PartialResults partial, std::int64_t rows, std::int64_t rows_a_block,
                                         BatchNormUpdate update, float* mean, float* inverse_deviation) {
  const std::int64_t c = std::int64_t{blockIdx.x} * kJoinChannels + threadIdx.x % kJoinChannels;
  float moments[3] = {};
  if (c < partial.channels) {
#pragma unroll 4
    for (std::int64_t block = threadIdx.x / kJoinChannels; block < partial.row_blocks; block += kJoinStep) {
      const float count = static_cast<float>(min(rows_a_block, rows - block * rows_a_block));
      JoinMoments<1>{}(moments, {*partial.at(0, block, c), *partial.at(1, block, c), count});
    }
  }
  fold_rows(moments, kJoinChannels, JoinMoments<1>{});
  if (threadIdx.x >= kJoinChannels || c >= partial.channels) return;
  const auto batch_mean = static_cast<double>(moments[0]);
  const auto squares = static_cast<double>(moments[1]);
  const auto count = static_cast<double>(rows);
  mean[c] = moments[0];
  inverse_deviation[c] = static_cast<float>(1.0 / sqrt(squares / count + update.eps));
  if (update.running_mean == nullptr) return;
  const auto blend = [&](float old, double batch) {
    return static_cast<float>((1.0 - update.momentum) * static_cast<double>(old) + update.momentum * batch);
  };
  update.running_mean[c] = blend(update.running_mean[c], batch_mean);
  update.running_var[c] = blend(update.running_var[c], squares / max(1.0, count - 1.0));
}

}  // namespace

void batch_norm_statistics(const Stream& stream, const BatchNormShape& shape, const void* x,
                           const BatchNormUpdate& update, void* scratch, float* mean, float* inverse_deviation) {
  if (shape.rows == 0) {
    fill(stream, DType::f32, 0.0, mean, shape.channels);
    fill(stream, DType::f32, 0.0, inverse_deviation, shape.channels);
    return;
  }
  with_column_types(shape.dtype, shape.channels, aligned_to_16(x), [&](auto type, auto vector) {
    using T = decltype(type);
    constexpr int kVector = decltype(vector)::value;
    const ColumnTiling tiling = reducing_tiling(stream.device(), shape.rows, shape.channels, kVector);
    const PartialResults partial{static_cast<float*>(scratch), tiling.row_blocks, tiling.channels};
    launch(stream, {.kernel = "batch_norm_moments", .grid = tiling.grid(), .block = kBlockThreads},
           moments_kernel<kVector, T>, static_cast<const T*>(x), tiling, partial);
    launch(stream,
           {.kernel = "batch_norm_finish_statistics", .grid = joining_grid(tiling.channels), .block = kBlockThreads},
           finish_statistics_kernel, partial, tiling.rows, tiling.rows_a_block, update, mean, inverse_deviation);
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
