// dbias[c] = sum over pixels of dy[pixel][c], in f32 over f32 or bf16.
//
// Threads: a block takes 32 neighbouring channels and a share of the pixels; warp r of 8 adds the pixels r, r + 8, ...
// of the share, a lane one channel, and the first warp adds the warps' sums. Each block leaves its part in scratch, and
// a second kernel adds the parts in an order that depends on their number alone. Bound: memory; pixels * channels *
// size bytes.

#include "cuda/kernels/conv_bias_gradient.h"

#include <algorithm>

#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/partial_sums.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kWarps = 8;

template <class T>
__global__ void __launch_bounds__(kWarps* kWarpThreads)
    conv_bias_gradient_kernel(const T* dy,  // [pixels, channels]
                              std::int64_t pixels, std::int64_t channels, std::int64_t share,
                              float* partial) {  // [gridDim.y, channels]
  __shared__ float of_warp[kWarps][kWarpThreads];
  const std::int64_t channel = std::int64_t{blockIdx.x} * kWarpThreads + lane_index();
  const std::int64_t begin = blockIdx.y * share;
  const std::int64_t end = min(begin + share, pixels);
  float sum = 0.0f;
  if (channel < channels) {
#pragma unroll 4
    for (std::int64_t pixel = begin + warp_index(); pixel < end; pixel += kWarps)
      sum += to_float(dy[pixel * channels + channel]);
  }
  of_warp[warp_index()][lane_index()] = sum;
  __syncthreads();
  if (warp_index() != 0 || channel >= channels) return;
#pragma unroll
  for (int warp = 1; warp < kWarps; ++warp) sum += of_warp[warp][lane_index()];
  partial[blockIdx.y * channels + channel] = sum;
}

/// Pixels of one block: eight blocks a multiprocessor, none with fewer than kLeastPixels, at most kMostShares of them.
std::int64_t share_of(const Stream& stream, std::int64_t pixels, std::int64_t channels) {
  constexpr std::int64_t kLeastPixels = 128;
  constexpr std::int64_t kMostShares = 1024;
  const std::int64_t columns = std::max<std::int64_t>(1, divide_up(channels, kWarpThreads));
  const std::int64_t wanted = divide_up(std::int64_t{stream.device().multiprocessors} * 8, columns);
  return std::max(kLeastPixels, divide_up(pixels, std::min(wanted, kMostShares)));
}

std::int64_t shares_of(const Stream& stream, std::int64_t pixels, std::int64_t channels) {
  return std::max<std::int64_t>(1, divide_up(pixels, share_of(stream, pixels, channels)));
}

}  // namespace

void conv_bias_gradient(const Stream& stream, DType dtype, const void* dy, std::int64_t pixels, std::int64_t channels,
                        float* scratch, float* dbias) {
  const std::int64_t shares = shares_of(stream, pixels, channels);
  const dim3 grid(static_cast<unsigned>(divide_up(channels, kWarpThreads)), static_cast<unsigned>(shares));
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    launch(stream, {.kernel = "conv_bias_gradient", .grid = grid, .block = kWarps * kWarpThreads},
           conv_bias_gradient_kernel<T>, static_cast<const T*>(dy), pixels, channels,
           share_of(stream, pixels, channels), shares > 1 ? scratch : dbias);
  });
  if (shares > 1) sum_partials(stream, "conv_bias_gradient_sum", scratch, shares, channels, dbias);
}

std::size_t conv_bias_gradient_scratch_bytes(const Stream& stream, std::int64_t pixels, std::int64_t channels) {
  const std::int64_t shares = shares_of(stream, pixels, channels);
  return shares > 1 ? static_cast<std::size_t>(shares * channels) * sizeof(float) : 0;
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
