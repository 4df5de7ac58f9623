// Step 3: the rows are cut over blocks too, as many as run at once on all multiprocessors; each leaves its partial sums
// in memory, and a second small kernel joins them in a fixed order.
//
// What it brings: every multiprocessor reads, however few the channels are. Where those are fewer than 32 a warp takes
// several rows at a time, so that no lane is idle (device/column_tile.cuh).
// Threads: one channel each, every step-th row of the block. Bound: the number of loads in flight; each is 4 bytes.

#include "cuda/kernels/device/column_sums.cuh"
#include "cuda/ladder/row_reduction/ladder.h"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

__global__ void row_blocks_kernel(const float* x, ColumnTiling tiling, float* partial) {
  const ColumnPlace place(tiling);
  float sum[1] = {};
  for (std::int64_t row = place.first_row; row < place.end_row; row += place.step)
    sum[0] += x[row * tiling.channels + place.channel];
  fold_rows(sum, tiling.lanes, AddValues{});
  if (static_cast<int>(threadIdx.x) < tiling.lanes && place.active)
    partial[place.row_block * tiling.channels + place.channel] = sum[0];
}

}  // namespace

void row_ladder_row_blocks(const Stream& stream, const RowReduction& problem) {
  const ColumnTiling tiling = reducing_tiling(stream.device(), problem.rows, problem.channels, 1);
  auto* partial = static_cast<float*>(problem.workspace);
  launch(stream, {.kernel = "row_ladder_row_blocks", .grid = tiling.grid(), .block = kBlockThreads}, row_blocks_kernel,
         problem.x, tiling, partial);
  join_sums(stream, partial, tiling.row_blocks, problem.channels, problem.y);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
