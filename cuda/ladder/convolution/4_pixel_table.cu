// Step 4: no division inside the loop, and loads of 16 bytes. Where a row's pixel starts in x is divided out once for
// the block and kept in shared memory (TilePixels); a thread's tap and channel go on by kTileK elements a turn, digit
// by digit (Digits). An element then lies at the sum of two displacements, and 4 channels of a tap lie side by side:
// one load, turned as it is stored.
//
// Threads: as in step 3, with the tables and sources of the kernel in use; the block still waits for its loads before
// it multiplies.
// Bound: the loads' latency.

#include "cuda/kernels/device/conv_forward_gemm.cuh"
#include "cuda/ladder/convolution/ladder.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

using Tile = SimtTile<64, 64, 8, 8>;
constexpr int kVector = 4;

__global__ void __launch_bounds__(Tile::kThreads, Tile::blocks(kVector))
    pixel_table_kernel(const __grid_constant__ GatherGemm gemm,
                       const __grid_constant__ GatherGemmTensors<float> tensors) {
  __shared__ TilePixels<Tile> pixels;
  __shared__ Tile::Shared shared;
  const int first_output = static_cast<int>(blockIdx.y) * Tile::kN;
  locate_pixels<Tile>(gemm, std::int64_t{blockIdx.x} * Tile::kM, 0, pixels);
  __syncthreads();
  WeightsAlongK<Tile, float, kVector>::Tables none;
  GatheredRows<Tile, float, kVector> a(gemm, tensors.gathered, pixels.from);
  WeightsAlongK<Tile, float, kVector> b(gemm, tensors.w, none, first_output);
  float sum[Tile::kThreadM][Tile::kThreadN] = {};
  for (int first = 0; first < gemm.depth(); first += kTileK) {
    a.load();
    b.load();
    a.store(shared.a);
    b.store(shared.b);
    __syncthreads();
    multiply_add<Tile>(shared, sum);
    __syncthreads();
  }
  store_results<Tile>(gemm, tensors, pixels, 0, first_output, sum);
}

}  // namespace

void conv_ladder_pixel_table(const Stream& stream, const ConvProblem& problem, const float* x, const float* w,
                             float* y) {
  const GatherGemmTensors<float> tensors{.gathered = x, .w = w, .y = y};
  const dim3 grid(static_cast<unsigned>(divide_up(problem.out_pixels(), Tile::kM)),
                  static_cast<unsigned>(divide_up(problem.out_channels, Tile::kN)));
  launch(stream, {.kernel = "conv_ladder_pixel_table", .grid = grid, .block = Tile::kThreads}, pixel_table_kernel,
         forward_gemm(problem), tensors);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
