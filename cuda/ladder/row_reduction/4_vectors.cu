// Step 4: a thread reads 16 bytes at a time and has four channels.
//
// What it brings: a quarter of the load instructions and of the address arithmetic for the same bytes, and four times
// as many bytes in flight for each load that a thread waits for; four sums that do not depend on each other.
// Threads: four channels each, every step-th row of the block. Bound: latency by a little; one load in flight a thread.

#include "cuda/kernels/device/column_sums.cuh"
#include "cuda/ladder/row_reduction/ladder.h"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kVector = 4;

__global__ void vectors_kernel(const float* x, ColumnTiling tiling, float* partial) {
  const ColumnPlace place(tiling);
  float sum[kVector] = {};
  for (std::int64_t row = place.first_row; row < place.end_row; row += place.step) {
    float value[kVector];
    load_floats<kVector>(x + row * tiling.channels + place.channel, value);
#pragma unroll
    for (int k = 0; k < kVector; ++k) sum[k] += value[k];
  }
  fold_rows(sum, tiling.lanes, AddValues{});
  if (static_cast<int>(threadIdx.x) < tiling.lanes && place.active)
    store_floats<kVector>(partial + place.row_block * tiling.channels + place.channel, sum);
}

}  // namespace

void row_ladder_vectors(const Stream& stream, const RowReduction& problem) {
  const ColumnTiling tiling = reducing_tiling(stream.device(), problem.rows, problem.channels, kVector);
  auto* partial = static_cast<float*>(problem.workspace);
  launch(stream, {.kernel = "row_ladder_vectors", .grid = tiling.grid(), .block = kBlockThreads}, vectors_kernel,
         problem.x, tiling, partial);
  join_sums(stream, partial, tiling.row_blocks, problem.channels, problem.y);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
