// Step 1: one thread an output. Each thread walks over all taps and channels of its output and reads both factors of
// each product from global memory: correct, and the definition in code.
//
// Threads: grid-stride over the elements of y. Neighbours share a pixel and differ in the output channel, so a warp
// reads one word of x together, and 32 words of w that lie a whole kernel apart.
// Bound: requests to the caches; two loads for each multiply-add.

#include "cuda/ladder/convolution/ladder.h"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kThreads = 256;

__global__ void naive_kernel(ConvProblem p, const float* x, const float* w, float* y) {
  const std::int64_t count = p.batch * p.out_height * p.out_width * p.out_channels;
  const std::int64_t step = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const std::int64_t o = i % p.out_channels;
    const std::int64_t ow = i / p.out_channels % p.out_width;
    const std::int64_t oh = i / p.out_channels / p.out_width % p.out_height;
    const std::int64_t image = i / p.out_channels / p.out_width / p.out_height;
    float sum = 0.0f;
    for (std::int64_t kh = 0; kh < p.kernel_height; ++kh) {
      const std::int64_t ih = oh * p.stride.height + kh * p.dilation.height - p.padding.top;
      if (ih < 0 || ih >= p.height) continue;
      for (std::int64_t kw = 0; kw < p.kernel_width; ++kw) {
        const std::int64_t iw = ow * p.stride.width + kw * p.dilation.width - p.padding.left;
        if (iw < 0 || iw >= p.width) continue;
        const float* pixel = x + ((image * p.height + ih) * p.width + iw) * p.channels;
        const float* weights = w + ((o * p.kernel_height + kh) * p.kernel_width + kw) * p.channels;
        for (std::int64_t c = 0; c < p.channels; ++c) sum = fmaf(pixel[c], weights[c], sum);
      }
    }
    y[i] = sum;
  }
}

}  // namespace

void conv_ladder_naive(const Stream& stream, const ConvProblem& problem, const float* x, const float* w, float* y) {
  launch(stream,
         {.kernel = "conv_ladder_naive",
          .grid = grid_stride_blocks(stream, problem.y_count(), kThreads),
          .block = kThreads},
         naive_kernel, problem, x, w, y);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
