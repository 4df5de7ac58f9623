// Adaptive average pooling over NHWC. Forward: the mean of each window. Backward: dx[position] = the sum over the
// windows that see the position of dy / their size.
//
// Threads: each makes one 16-byte vector of channels of the result, gathering in the order of positions or windows;
// element by element where channels or addresses do not allow vectors.
// Bound: memory; x and y, or dy and dx, once each: windows that overlap meet in the caches.

#include "cuda/kernels/adaptive_avg_pool.h"

#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/image_index.cuh"
#include "cuda/kernels/device/pool_window.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

template <int N, class Index, class T>
__global__ void adaptive_avg_pool_forward_kernel(const T* x, AdaptiveAxis rows, AdaptiveAxis columns,
                                                 std::int64_t channels, T* y, std::int64_t count,
                                                 ImageIndex<Index> place_of) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kBlockThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kBlockThreads + threadIdx.x; i < count; i += stride) {
    const auto [n, oh, ow, c] = place_of(i);
    const AdaptiveRange h_range = rows.positions(oh);
    const AdaptiveRange w_range = columns.positions(ow);
    float sum[N] = {};
    for (std::int64_t h = h_range.first; h < h_range.end; ++h) {
#pragma unroll 4
      for (std::int64_t w = w_range.first; w < w_range.end; ++w) {
        float value[N];
        load_floats<N>(x + image_offset(n, h, w, c, rows.extent, columns.extent, channels), value);
#pragma unroll
        for (int k = 0; k < N; ++k) sum[k] += value[k];
      }
    }
    const auto size = static_cast<float>(max(h_range.size() * w_range.size(), std::int64_t{1}));
#pragma unroll
    for (float& value : sum) value /= size;
    store_floats<N>(y + i * N, sum);
  }
}

template <int N, class Index, class T>
__global__ void adaptive_avg_pool_backward_kernel(const T* dy, AdaptiveAxis rows, AdaptiveAxis columns,
                                                  std::int64_t channels, T* dx, std::int64_t count,
                                                  ImageIndex<Index> place_of) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kBlockThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kBlockThreads + threadIdx.x; i < count; i += stride) {
    const auto [n, h, w, c] = place_of(i);
    const AdaptiveRange over_row = rows.windows_over(h);
    const AdaptiveRange over_column = columns.windows_over(w);
    float sum[N] = {};
    for (std::int64_t oh = over_row.first; oh < over_row.end; ++oh) {
      for (std::int64_t ow = over_column.first; ow < over_column.end; ++ow) {
        const auto size = static_cast<float>(rows.positions(oh).size() * columns.positions(ow).size());
        float gradient[N];
        load_floats<N>(dy + image_offset(n, oh, ow, c, rows.windows, columns.windows, channels), gradient);
#pragma unroll
        for (int k = 0; k < N; ++k) sum[k] += gradient[k] / size;
      }
    }
    store_floats<N>(dx + i * N, sum);
  }
}

}  // namespace

void adaptive_avg_pool_forward(const Stream& stream, DType dtype, const AdaptivePoolShape& shape, const void* x,
                               void* y) {
  const std::int64_t count = shape.images * shape.rows.windows * shape.columns.windows * shape.channels;
  if (count == 0) return;
  with_pool_types(dtype, count, shape.channels, aligned_to_16(x, y), [&](auto type, auto index, auto vector) {
    using T = decltype(type);
    using Index = decltype(index);
    constexpr int kVector = decltype(vector)::value;
    launch(stream,
           {.kernel = "adaptive_avg_pool_forward", .grid = unrolled_grid(count / kVector, 1), .block = kBlockThreads},
           adaptive_avg_pool_forward_kernel<kVector, Index, T>, static_cast<const T*>(x), shape.rows, shape.columns,
           shape.channels, static_cast<T*>(y), count / kVector,
           ImageIndex<Index>(shape.rows.windows, shape.columns.windows, shape.channels, kVector));
  });
}

void adaptive_avg_pool_backward(const Stream& stream, DType dtype, const AdaptivePoolShape& shape, const void* dy,
                                void* dx) {
  const std::int64_t count = shape.images * shape.rows.extent * shape.columns.extent * shape.channels;
  if (count == 0) return;
  with_pool_types(dtype, count, shape.channels, aligned_to_16(dy, dx), [&](auto type, auto index, auto vector) {
    using T = decltype(type);
    using Index = decltype(index);
    constexpr int kVector = decltype(vector)::value;
    launch(stream,
           {.kernel = "adaptive_avg_pool_backward", .grid = unrolled_grid(count / kVector, 1), .block = kBlockThreads},
           adaptive_avg_pool_backward_kernel<kVector, Index, T>, static_cast<const T*>(dy), shape.rows, shape.columns,
           shape.channels, static_cast<T*>(dx), count / kVector,
           ImageIndex<Index>(shape.rows.extent, shape.columns.extent, shape.channels, kVector));
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
