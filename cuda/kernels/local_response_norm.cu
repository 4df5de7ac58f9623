// Local response normalisation across channels (Krizhevsky et al. 2012): y = x d^-beta with d = k + share * the sum of
// x^2 over the channels around; dx = dy d^-beta - 2 share beta x * the sum of dy x d^(-beta - 1) over the channels
// whose windows hold this one.
//
// Threads: rows follow each other, so a block takes 1024 neighbouring elements, whatever rows they belong to; each
// thread every 256th of them. What a window reaches is held in shared memory, with a margin on both sides: forward the
// squares, backward the squares and the ratios dy x d^(-beta - 1). A window ends where its row does. Powers of 3/4,
// which all published networks use, are two roots. Bound: memory; x and y once, or dy, x and dx once; the margin of a
// window of 5 is under 1 % of a tile.

#include "cuda/kernels/local_response_norm.h"

#include <cmath>

#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/divide.cuh"
#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kTile = 1024;  // elements a block

__device__ __forceinline__ float inverse_power(float d, float beta) {
  if (beta == 0.75f) {
    const float root = sqrtf(d);
    return 1.0f / (root * sqrtf(root));
  }
  return powf(d, -beta);
}

/// The sum of line[at + j] for -before <= j <= after, as far as channel `c` + j of the row exists.
__device__ __forceinline__ float window_sum(const float* line, int at, std::int64_t c, std::int64_t channels,
                                            int before, int after) {
  const int first = at - static_cast<int>(min(c, std::int64_t{before}));
  const int last = at + static_cast<int>(min(channels - 1 - c, std::int64_t{after}));
  float sum = 0.0f;
  for (int j = first; j <= last; ++j) sum += line[j];
  return sum;
}

/// Element `i` of x, 0 outside of [0, count).
template <class T>
__device__ __forceinline__ float element(const T* x, std::int64_t i, std::int64_t count) {
  return i >= 0 && i < count ? to_float(x[i]) : 0.0f;
}

template <class Index>
__device__ __forceinline__ std::int64_t channel_of(std::int64_t i, Divider<Index> channels) {
  auto rest = static_cast<Index>(i);
  channels.split(rest);
  return static_cast<std::int64_t>(rest);
}

template <class Index, class T>
__global__ void local_response_norm_forward_kernel(const T* x, LocalResponseNorm norm, Divider<Index> by_channels, T* y,
                                                   std::int64_t count) {
  auto* squares = dynamic_shared<float>();
  const int length = kTile + norm.before + norm.after;
  const std::int64_t stride = std::int64_t{gridDim.x} * kTile;
  for (std::int64_t first = std::int64_t{blockIdx.x} * kTile; first < count; first += stride) {
    for (int j = static_cast<int>(threadIdx.x); j < length; j += kBlockThreads) {
      const float value = element(x, first - norm.before + j, count);
      squares[j] = value * value;
    }
    __syncthreads();
    for (int j = static_cast<int>(threadIdx.x); j < kTile && first + j < count; j += kBlockThreads) {
      const std::int64_t c = channel_of(first + j, by_channels);
      const float sum = window_sum(squares, j + norm.before, c, norm.channels, norm.before, norm.after);
      const float d = fmaf(sum, norm.share, norm.k);
      y[first + j] = from_float<T>(to_float(x[first + j]) * inverse_power(d, norm.beta));
    }
    __syncthreads();  // the next tile overwrites the squares
  }
}

template <class Index, class T>
__global__ void local_response_norm_backward_kernel(const T* dy, const T* x, LocalResponseNorm norm,
                                                    Divider<Index> by_channels, T* dx, std::int64_t count) {
  // Element first + j is ratios[j + margin] and squares[j + 2 * margin]: the windows of the ratios that a tile needs
  // reach as far again.
  const int margin = norm.before + norm.after;
  auto* ratios = dynamic_shared<float>();
  float* squares = ratios + kTile + 2 * margin;
  const float factor = 2.0f * norm.share * norm.beta;
  const std::int64_t stride = std::int64_t{gridDim.x} * kTile;
  for (std::int64_t first = std::int64_t{blockIdx.x} * kTile; first < count; first += stride) {
    for (int j = static_cast<int>(threadIdx.x); j < kTile + 4 * margin; j += kBlockThreads) {
      const float value = element(x, first - 2 * margin + j, count);
      squares[j] = value * value;
    }
    __syncthreads();
    for (int j = static_cast<int>(threadIdx.x); j < kTile + 2 * margin; j += kBlockThreads) {
      const std::int64_t i = first - margin + j;
      float ratio = 0.0f;
      if (i >= 0 && i < count) {
        const float sum =
            window_sum(squares, j + margin, channel_of(i, by_channels), norm.channels, norm.before, norm.after);
        const float d = fmaf(sum, norm.share, norm.k);
        ratio = to_float(dy[i]) * to_float(x[i]) * inverse_power(d, norm.beta) / d;
      }
      ratios[j] = ratio;
    }
    __syncthreads();
    for (int j = static_cast<int>(threadIdx.x); j < kTile && first + j < count; j += kBlockThreads) {
      const std::int64_t c = channel_of(first + j, by_channels);
      const float squares_sum = window_sum(squares, j + 2 * margin, c, norm.channels, norm.before, norm.after);
      const float power = inverse_power(fmaf(squares_sum, norm.share, norm.k), norm.beta);
      // Windows turned round: those that hold c belong to channels c - after .. c + before.
      const float sum = window_sum(ratios, j + margin, c, norm.channels, norm.after, norm.before);
      const float through = factor * to_float(x[first + j]) * sum;
      dx[first + j] = from_float<T>(to_float(dy[first + j]) * power - through);
    }
    __syncthreads();  // the next tile overwrites both
  }
}

}  // namespace

void local_response_norm_forward(const Stream& stream, DType dtype, const LocalResponseNorm& norm, const void* x,
                                 void* y) {
  const std::int64_t count = norm.rows * norm.channels;
  const std::size_t shared_bytes = sizeof(float) * static_cast<std::size_t>(kTile + norm.before + norm.after);
  with_float_type(dtype, [&](auto type) {
    with_index_type(count, [&](auto index) {
      using T = decltype(type);
      using Index = decltype(index);
      launch(stream,
             {.kernel = "local_response_norm_forward",
              .grid = blocks_for(divide_up(count, kTile)),
              .block = kBlockThreads,
              .shared_bytes = shared_bytes},
             local_response_norm_forward_kernel<Index, T>, static_cast<const T*>(x), norm,
             Divider<Index>(norm.channels), static_cast<T*>(y), count);
    });
  });
}

void local_response_norm_backward(const Stream& stream, DType dtype, const LocalResponseNorm& norm, const void* dy,
                                  const void* x, void* dx) {
  const std::int64_t count = norm.rows * norm.channels;
  const std::size_t shared_bytes = sizeof(float) * static_cast<std::size_t>(2 * kTile + 6 * (norm.before + norm.after));
  with_float_type(dtype, [&](auto type) {
    with_index_type(count, [&](auto index) {
      using T = decltype(type);
      using Index = decltype(index);
      launch(stream,
             {.kernel = "local_response_norm_backward",
              .grid = blocks_for(divide_up(count, kTile)),
              .block = kBlockThreads,
              .shared_bytes = shared_bytes},
             local_response_norm_backward_kernel<Index, T>, static_cast<const T*>(dy), static_cast<const T*>(x), norm,
             Divider<Index>(norm.channels), static_cast<T*>(dx), count);
    });
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
