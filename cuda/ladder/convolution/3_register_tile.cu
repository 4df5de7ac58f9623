// Step 3: a tile in registers. A thread computes 8 x 8 outputs of a block's 64 x 64: for each k it reads 8 elements of
// either operand from shared memory, in four loads of 16 bytes, for 64 multiply-adds, where step 2 needed two loads for
// one. Shared memory holds k outermost, so that a thread's 4 neighbouring rows are one load.
//
// Threads: 64, as SimtTile lays them out. Global memory is still read word by word, with divisions for every word, and
// the block waits for its loads before it multiplies.
// Bound: the loads' latency and their address arithmetic.

#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/simt_tile.cuh"
#include "cuda/ladder/convolution/ladder.h"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

using Tile = SimtTile<64, 64, 8, 8>;

__device__ float gather(const ConvProblem& p, const float* x, int pixel, int k) {
  const int channels = static_cast<int>(p.channels);
  const int tap = k / channels;
  const int kw = tap % static_cast<int>(p.kernel_width);
  const int kh = tap / static_cast<int>(p.kernel_width);
  const int row = pixel / static_cast<int>(p.out_width);
  const std::int64_t image = row / static_cast<int>(p.out_height);
  const std::int64_t ih =
      row % static_cast<int>(p.out_height) * p.stride.height + kh * p.dilation.height - p.padding.top;
  const std::int64_t iw =
      pixel % static_cast<int>(p.out_width) * p.stride.width + kw * p.dilation.width - p.padding.left;
  if (ih < 0 || ih >= p.height || iw < 0 || iw >= p.width) return 0.0f;
  return x[((image * p.height + ih) * p.width + iw) * channels + k % channels];
}

__global__ void __launch_bounds__(Tile::kThreads)
    register_tile_kernel(const __grid_constant__ ConvProblem p, const float* x, const float* w, float* y) {
  __shared__ Tile::Shared shared;
  const auto pixels = static_cast<int>(p.batch * p.out_height * p.out_width);
  const auto depth = static_cast<int>(p.kernel_height * p.kernel_width * p.channels);
  const auto outputs = static_cast<int>(p.out_channels);
  const int first_pixel = static_cast<int>(blockIdx.x) * Tile::kM;
  const int first_output = static_cast<int>(blockIdx.y) * Tile::kN;
  const int k_here = static_cast<int>(threadIdx.x) % kTileK;
  const int row_here = static_cast<int>(threadIdx.x) / kTileK;
  constexpr int kRowStep = Tile::kThreads / kTileK;
  float sum[Tile::kThreadM][Tile::kThreadN] = {};
  for (int first = 0; first < depth; first += kTileK) {
    const int k = first + k_here;
    for (int row = row_here; row < Tile::kM; row += kRowStep) {
      const int pixel = first_pixel + row;
      shared.a[k_here][row] = pixel < pixels && k < depth ? gather(p, x, pixel, k) : 0.0f;
      const int output = first_output + row;
      shared.b[k_here][row] = output < outputs && k < depth ? w[std::int64_t{output} * depth + k] : 0.0f;
    }
    __syncthreads();
    multiply_add<Tile>(shared, sum);
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < Tile::kThreadM; ++i) {
#pragma unroll
    for (int j = 0; j < Tile::kThreadN; ++j) {
      const int pixel = first_pixel + Tile::row(i);
      const int output = first_output + Tile::column(j);
      if (pixel < pixels && output < outputs) y[std::int64_t{pixel} * outputs + output] = sum[i][j];
    }
  }
}

}  // namespace

void conv_ladder_register_tile(const Stream& stream, const ConvProblem& problem, const float* x, const float* w,
                               float* y) {
  const dim3 grid(static_cast<unsigned>(divide_up(problem.out_pixels(), Tile::kM)),
                  static_cast<unsigned>(divide_up(problem.out_channels, Tile::kN)));
  launch(stream, {.kernel = "conv_ladder_register_tile", .grid = grid, .block = Tile::kThreads}, register_tile_kernel,
         problem, x, w, y);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
