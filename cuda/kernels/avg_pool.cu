// Average pooling over NHWC. Forward: the window's mean. Backward: dx[position] = the sum over the windows that see the
// position of dy / divisor.
//
// Threads: each makes one 16-byte vector of channels of the result, gathering in the order of positions or windows;
// element by element where channels or addresses do not allow vectors.
// Bound: memory; x and y, or dy and dx, once each: windows that overlap meet in the caches.

#include "cuda/kernels/avg_pool.h"

#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/image_index.cuh"
#include "cuda/kernels/device/pool_window.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// What window (oh, ow) divides by; 1 where it sees nothing, for its sum is 0 then.
__device__ __forceinline__ float divisor(const PoolAxis& rows, const PoolAxis& columns, bool count_padding, int oh,
                                         int ow) {
  if (count_padding) return static_cast<float>(rows.kernel) * static_cast<float>(columns.kernel);
  return static_cast<float>(max(positions_seen(rows, oh), 1)) * static_cast<float>(max(positions_seen(columns, ow), 1));
}

template <int N, class Index, class T>
__global__ void avg_pool_forward_kernel(const T* x, PoolAxis rows, PoolAxis columns, std::int64_t channels,
                                        bool count_padding, T* y, std::int64_t count, ImageIndex<Index> place_of) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kBlockThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kBlockThreads + threadIdx.x; i < count; i += stride) {
    const auto [n, oh, ow, c] = place_of(i);
    const int top = static_cast<int>(oh) * rows.stride - rows.before;
    const int left = static_cast<int>(ow) * columns.stride - columns.before;
    const int last_row = min(top + rows.kernel, rows.extent);
    const int last_column = min(left + columns.kernel, columns.extent);
    float sum[N] = {};
    for (int h = max(top, 0); h < last_row; ++h) {
      const T* row = x + image_offset(n, h, 0, c, rows.extent, columns.extent, channels);
#pragma unroll 4
      for (int w = max(left, 0); w < last_column; ++w) {
        float value[N];
        load_floats<N>(row + w * channels, value);
#pragma unroll
        for (int k = 0; k < N; ++k) sum[k] += value[k];
      }
    }
    const float size = divisor(rows, columns, count_padding, static_cast<int>(oh), static_cast<int>(ow));
#pragma unroll
    for (float& value : sum) value /= size;
    store_floats<N>(y + i * N, sum);
  }
}

template <int N, class Index, class T>
__global__ void avg_pool_backward_kernel(const T* dy, WindowsOf rows, WindowsOf columns, std::int64_t channels,
                                         bool count_padding, T* dx, std::int64_t count, ImageIndex<Index> place_of) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kBlockThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kBlockThreads + threadIdx.x; i < count; i += stride) {
    const auto [n, h, w, c] = place_of(i);
    const WindowRange row_windows = rows(static_cast<int>(h));
    const WindowRange column_windows = columns(static_cast<int>(w));
    float sum[N] = {};
    for (int oh = row_windows.first; oh <= row_windows.last; ++oh) {
      for (int ow = column_windows.first; ow <= column_windows.last; ++ow) {
        const float share = 1.0f / divisor(rows.axis, columns.axis, count_padding, oh, ow);
        float gradient[N];
        load_floats<N>(dy + image_offset(n, oh, ow, c, rows.axis.windows, columns.axis.windows, channels), gradient);
#pragma unroll
        for (int k = 0; k < N; ++k) sum[k] = fmaf(gradient[k], share, sum[k]);
      }
    }
    store_floats<N>(dx + i * N, sum);
  }
}

}  // namespace

void avg_pool_forward(const Stream& stream, DType dtype, const PoolShape& shape, bool count_padding, const void* x,
                      void* y) {
  const std::int64_t count = shape.pooled_elements();
  if (count == 0) return;
  with_pool_types(dtype, count, shape.channels, aligned_to_16(x, y), [&](auto type, auto index, auto vector) {
    using T = decltype(type);
    using Index = decltype(index);
    constexpr int kVector = decltype(vector)::value;
    launch(stream, {.kernel = "avg_pool_forward", .grid = unrolled_grid(count / kVector, 1), .block = kBlockThreads},
           avg_pool_forward_kernel<kVector, Index, T>, static_cast<const T*>(x), shape.rows, shape.columns,
           shape.channels, count_padding, static_cast<T*>(y), count / kVector,
           ImageIndex<Index>(shape.rows.windows, shape.columns.windows, shape.channels, kVector));
  });
}

void avg_pool_backward(const Stream& stream, DType dtype, const PoolShape& shape, bool count_padding, const void* dy,
                       void* dx) {
  const std::int64_t count = shape.image_elements();
  if (count == 0) return;
  with_pool_types(dtype, count, shape.channels, aligned_to_16(dy, dx), [&](auto type, auto index, auto vector) {
    using T = decltype(type);
    using Index = decltype(index);
    constexpr int kVector = decltype(vector)::value;
    launch(stream, {.kernel = "avg_pool_backward", .grid = unrolled_grid(count / kVector, 1), .block = kBlockThreads},
           avg_pool_backward_kernel<kVector, Index, T>, static_cast<const T*>(dy), WindowsOf(shape.rows),
           WindowsOf(shape.columns), shape.channels, count_padding, static_cast<T*>(dx), count / kVector,
           ImageIndex<Index>(shape.rows.extent, shape.columns.extent, shape.channels, kVector));
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
