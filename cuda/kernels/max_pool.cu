// Max pooling over NHWC. Forward: the window's maximum and the index of its first position; NaN wins, padding never.
// Backward: dx[position] = the sum of dy over the windows whose saved index is that position.
//
// Threads, forward: each makes one 16-byte vector of channels of y and reads it at every position of the window, a row
// of the window at a time; windows that overlap meet in the caches. Backward gathers, each thread for one vector of dx,
// from the few windows that can have chosen its position, in their order: no atomics, no zeroing beforehand. Element
// by element where channels or addresses do not allow vectors.
// Bound: memory. Forward reads x once and writes y and an i32 for each element; backward reads dy and the indices and
// writes dx.

#include "cuda/kernels/max_pool.h"

#include <cmath>

#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/image_index.cuh"
#include "cuda/kernels/device/pool_window.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// A window that sees nothing but padding has no index.
constexpr int kNoPosition = -1;

template <int N>
struct Winners {
  float value[N];
  int position[N];

  template <class T>
  __device__ __forceinline__ void challenge(const Vector<T, N>& vector, int at) {
#pragma unroll
    for (int k = 0; k < N; ++k) {
      const float challenger = to_float(vector.element[k]);
      const bool wins = position[k] == kNoPosition || (!(challenger <= value[k]) && !isnan(value[k]));
      value[k] = wins ? challenger : value[k];
      position[k] = wins ? at : position[k];
    }
  }
};

template <int N>
__device__ __forceinline__ void store_positions(const int (&from)[N], std::int32_t* to) {
  constexpr int kAccess = N < 4 ? N : 4;
#pragma unroll
  for (int i = 0; i < N; i += kAccess) {
    Vector<std::int32_t, kAccess> vector;
#pragma unroll
    for (int k = 0; k < kAccess; ++k) vector.element[k] = from[i + k];
    store_vector(to + i, vector);
  }
}

/// kKernel: the window's columns if they are known when compiling, else 0.
template <int kKernel, int N, class Index, class T>
__global__ void max_pool_forward_kernel(const T* x, PoolAxis rows, PoolAxis columns, std::int64_t channels, T* y,
                                        std::int32_t* indices, std::int64_t count, ImageIndex<Index> place_of) {
  constexpr int kAtOnce = kKernel == 0 ? 1 : kKernel;
  const std::int64_t stride = std::int64_t{gridDim.x} * kBlockThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kBlockThreads + threadIdx.x; i < count; i += stride) {
    const auto [n, oh, ow, c] = place_of(i);
    Winners<N> best;
#pragma unroll
    for (int k = 0; k < N; ++k) {
      best.value[k] = -INFINITY;
      best.position[k] = kNoPosition;
    }
    const int top = static_cast<int>(oh) * rows.stride - rows.before;
    const int left = static_cast<int>(ow) * columns.stride - columns.before;
    for (int kh = 0; kh < rows.kernel; ++kh) {
      const int h = top + kh * rows.dilation;
      if (h < 0 || h >= rows.extent) continue;
      const T* row = x + image_offset(n, h, 0, c, rows.extent, columns.extent, channels);
      for (int kw = 0; kw < columns.kernel; kw += kAtOnce) {
        Vector<T, N> seen[kAtOnce] = {};
#pragma unroll
        for (int k = 0; k < kAtOnce; ++k) {
          const int w = left + (kw + k) * columns.dilation;
          if (w >= 0 && w < columns.extent) seen[k] = load_vector<N>(row + w * channels);
        }
#pragma unroll
        for (int k = 0; k < kAtOnce; ++k) {
          const int w = left + (kw + k) * columns.dilation;
          if (w >= 0 && w < columns.extent) best.challenge(seen[k], h * columns.extent + w);
        }
      }
    }
    store_floats<N>(y + i * N, best.value);
    if (indices != nullptr) store_positions(best.position, indices + i * N);
  }
}

template <int N, class Index, class T>
__global__ void max_pool_backward_kernel(const T* dy, const std::int32_t* indices, WindowsOf rows, WindowsOf columns,
                                         std::int64_t channels, T* dx, std::int64_t count, ImageIndex<Index> place_of) {
  constexpr int kIndices = N < 4 ? N : 4;
  const std::int64_t stride = std::int64_t{gridDim.x} * kBlockThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kBlockThreads + threadIdx.x; i < count; i += stride) {
    const auto [n, h, w, c] = place_of(i);
    const int position = static_cast<int>(h) * columns.axis.extent + static_cast<int>(w);
    const WindowRange row_windows = rows(static_cast<int>(h));
    const WindowRange column_windows = columns(static_cast<int>(w));
    float sum[N] = {};
    for (int oh = row_windows.first; oh <= row_windows.last; ++oh) {
      for (int ow = column_windows.first; ow <= column_windows.last; ++ow) {
        const std::int64_t at = image_offset(n, oh, ow, c, rows.axis.windows, columns.axis.windows, channels);
        float gradient[N];
        load_floats<N>(dy + at, gradient);
#pragma unroll
        for (int first = 0; first < N; first += kIndices) {
          const auto chosen = load_vector<kIndices>(indices + at + first);
#pragma unroll
          for (int k = 0; k < kIndices; ++k)
            sum[first + k] += chosen.element[k] == position ? gradient[first + k] : 0.0f;
        }
      }
    }
    store_floats<N>(dx + i * N, sum);
  }
}

}  // namespace

void max_pool_forward(const Stream& stream, DType dtype, const PoolShape& shape, const void* x, void* y,
                      std::int32_t* indices) {
  const std::int64_t count = shape.pooled_elements();
  if (count == 0) return;
  with_pool_types(dtype, count, shape.channels, aligned_to_16(x, y, indices), [&](auto type, auto index, auto vector) {
    using T = decltype(type);
    using Index = decltype(index);
    constexpr int kVector = decltype(vector)::value;
    const int known = shape.columns.kernel;
    const auto kernel = known == 3   ? max_pool_forward_kernel<3, kVector, Index, T>
                        : known == 2 ? max_pool_forward_kernel<2, kVector, Index, T>
                                     : max_pool_forward_kernel<0, kVector, Index, T>;
    launch(stream, {.kernel = "max_pool_forward", .grid = unrolled_grid(count / kVector, 1), .block = kBlockThreads},
           kernel, static_cast<const T*>(x), shape.rows, shape.columns, shape.channels, static_cast<T*>(y), indices,
           count / kVector, ImageIndex<Index>(shape.rows.windows, shape.columns.windows, shape.channels, kVector));
  });
}

void max_pool_backward(const Stream& stream, DType dtype, const PoolShape& shape, const void* dy,
                       const std::int32_t* indices, void* dx) {
  const std::int64_t count = shape.image_elements();
  if (count == 0) return;
  with_pool_types(
      dtype, count, shape.channels, aligned_to_16(dy, indices, dx), [&](auto type, auto index, auto vector) {
        using T = decltype(type);
        using Index = decltype(index);
        constexpr int kVector = decltype(vector)::value;
        launch(stream,
               {.kernel = "max_pool_backward", .grid = unrolled_grid(count / kVector, 1), .block = kBlockThreads},
               max_pool_backward_kernel<kVector, Index, T>, static_cast<const T*>(dy), indices, WindowsOf(shape.rows),
               WindowsOf(shape.columns), shape.channels, static_cast<T*>(dx), count / kVector,
               ImageIndex<Index>(shape.rows.extent, shape.columns.extent, shape.channels, kVector));
      });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
