// Step 2: the convolution as a matrix product that is never written down, in tiles of shared memory. Rows are pixels of
// y, columns are output channels, and the sum runs over k = (tap, channel). A block loads 16 x 16 elements of x and of
// w at a time, and every word is then used 16 times: a sixteenth of step 1's loads of global memory is left.
//
// Threads: 16 x 16, one output each. Where element (row, k) of x lies is divided out anew for every load.
// Bound: shared memory; two loads of it for each multiply-add.

#include "cuda/kernels/device/grid.cuh"
#include "cuda/ladder/convolution/ladder.h"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kTile = 16;

/// Element k of the row of the implicit matrix that belongs to `pixel`; 0 outside of the image.
__device__ float gather(const ConvProblem& p, const float* x, std::int64_t pixel, std::int64_t k) {
  const std::int64_t c = k % p.channels;
  const std::int64_t kw = k / p.channels % p.kernel_width;
  const std::int64_t kh = k / p.channels / p.kernel_width;
  const std::int64_t image = pixel / (p.out_height * p.out_width);
  const std::int64_t ih = pixel / p.out_width % p.out_height * p.stride.height + kh * p.dilation.height - p.padding.top;
  const std::int64_t iw = pixel % p.out_width * p.stride.width + kw * p.dilation.width - p.padding.left;
  if (ih < 0 || ih >= p.height || iw < 0 || iw >= p.width) return 0.0f;
  return x[((image * p.height + ih) * p.width + iw) * p.channels + c];
}

__global__ void shared_tile_kernel(ConvProblem p, const float* x, const float* w, float* y) {
  __shared__ float a[kTile][kTile];
  __shared__ float b[kTile][kTile + 1];  // read along its columns: one word more, and a warp meets all banks
  const int row = static_cast<int>(threadIdx.x) / kTile;
  const int column = static_cast<int>(threadIdx.x) % kTile;
  const std::int64_t pixels = p.batch * p.out_height * p.out_width;
  const std::int64_t depth = p.kernel_height * p.kernel_width * p.channels;
  const std::int64_t pixel = std::int64_t{blockIdx.x} * kTile + row;
  const std::int64_t output = std::int64_t{blockIdx.y} * kTile + column;
  const std::int64_t loaded_output = std::int64_t{blockIdx.y} * kTile + row;
  float sum = 0.0f;
  for (std::int64_t first = 0; first < depth; first += kTile) {
    const std::int64_t k = first + column;
    a[row][column] = pixel < pixels && k < depth ? gather(p, x, pixel, k) : 0.0f;
    b[row][column] = loaded_output < p.out_channels && k < depth ? w[loaded_output * depth + k] : 0.0f;
    __syncthreads();
    for (int i = 0; i < kTile; ++i) sum = fmaf(a[row][i], b[column][i], sum);
    __syncthreads();
  }
  if (pixel < pixels && output < p.out_channels) y[pixel * p.out_channels + output] = sum;
}

}  // namespace

void conv_ladder_shared_tile(const Stream& stream, const ConvProblem& problem, const float* x, const float* w,
                             float* y) {
  const dim3 grid(static_cast<unsigned>(divide_up(problem.out_pixels(), kTile)),
                  static_cast<unsigned>(divide_up(problem.out_channels, kTile)));
  launch(stream, {.kernel = "conv_ladder_shared_tile", .grid = grid, .block = kTile * kTile}, shared_tile_kernel,
         problem, x, w, y);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
