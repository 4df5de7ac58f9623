// Global average pooling: y[n, c] = the mean of x[n, ., c]; backward dx[n, p, c] = dy[n, c] / positions.
//
// Threads: forward is column_sums_kernel (device/column_sums.cuh) with the positions of one image as the rows of a
// block; what an image comes to does not depend on its place in the batch. Backward, each thread makes one 16-byte
// vector of dx; element by element where channels or addresses do not allow vectors. Bound: memory; x once, or dx once.

#include "cuda/kernels/global_avg_pool.h"

#include "cuda/kernels/device/column_sums.cuh"
#include "cuda/kernels/device/image_index.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

template <int N, class Index, class T>
__global__ void global_avg_pool_backward_kernel(const T* dy, std::int64_t channels, float share, T* dx,
                                                std::int64_t count, ImageIndex<Index> place_of) {
  for_each_unrolled<1>(
      count,
      [&](std::int64_t i) {
        const auto [n, row, position, c] = place_of(i);
        return load_vector<N>(dy + n * channels + c);
      },
      [&](std::int64_t i, Vector<T, N> vector) {
#pragma unroll
        for (T& element : vector.element) element = from_float<T>(to_float(element) * share);
        store_vector(dx + i * N, vector);
      });
}

}  // namespace

void global_avg_pool_forward(const Stream& stream, DType dtype, const GlobalPoolShape& shape, const void* x, void* y) {
  const auto [images, positions, channels] = shape;
  if (images * channels == 0) return;
  with_column_types(dtype, channels, aligned_to_16(x), [&](auto type, auto vector) {
    using T = decltype(type);
    constexpr int kVector = decltype(vector)::value;
    const ColumnTiling tiling = image_tiling(shape.images, shape.positions, shape.channels, kVector);
    const float share = shape.positions == 0 ? 0.0f : 1.0f / static_cast<float>(shape.positions);
    launch(stream, {.kernel = "global_avg_pool_forward", .grid = tiling.grid(), .block = kBlockThreads},
           column_sums_kernel<kVector, T, T>, static_cast<const T*>(x), tiling, share, static_cast<T*>(y));
  });
}

void global_avg_pool_backward(const Stream& stream, DType dtype, const GlobalPoolShape& shape, const void* dy,
                              void* dx) {
  const auto [images, positions, channels] = shape;
  const std::int64_t count = images * positions * channels;
  if (count == 0) return;
  with_column_types(dtype, channels, aligned_to_16(dy, dx), [&](auto type, auto vector) {
    with_index_type(count, [&](auto index) {
      using T = decltype(type);
      using Index = decltype(index);
      constexpr int kVector = decltype(vector)::value;
      launch(stream,
             {.kernel = "global_avg_pool_backward", .grid = unrolled_grid(count / kVector, 1), .block = kBlockThreads},
             global_avg_pool_backward_kernel<kVector, Index, T>, static_cast<const T*>(dy), shape.channels,
             1.0f / static_cast<float>(shape.positions), static_cast<T*>(dx), count / kVector,
             ImageIndex<Index>(1, shape.positions, shape.channels, kVector));
    });
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
