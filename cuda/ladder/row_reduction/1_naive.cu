// Step 1: one thread a channel, which walks down all rows: the definition in code.
//
// Threads: neighbours have neighbouring channels, so that a warp reads 128 bytes that lie together; that much is right
// from the start. Bound: latency. Images have some hundred channels and a million rows: a few warps of one or two
// multiprocessors wait for one load after the other, and the rest of the device has nothing to do.

#include "cuda/kernels/device/grid.cuh"
#include "cuda/ladder/row_reduction/ladder.h"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

__global__ void naive_kernel(const float* x, std::int64_t rows, std::int64_t channels, float* y) {
  const std::int64_t c = std::int64_t{blockIdx.x} * kBlockThreads + threadIdx.x;
  if (c >= channels) return;
  float sum = 0.0f;
  for (std::int64_t row = 0; row < rows; ++row) sum += x[row * channels + c];
  y[c] = sum;
}

}  // namespace

void row_ladder_naive(const Stream& stream, const RowReduction& problem) {
  launch(stream, {.kernel = "row_ladder_naive", .grid = unrolled_grid(problem.channels, 1), .block = kBlockThreads},
         naive_kernel, problem.x, problem.rows, problem.channels, problem.y);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
