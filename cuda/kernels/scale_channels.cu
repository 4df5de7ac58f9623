// The excitation of Hu et al. 2018: y[n, p, c] = x[n, p, c] s[n, c]; backward dx = dy s, ds[n, c] = the sum of dy x
// over the positions p of image n.
//
// Threads: forward, each makes one 16-byte vector of channels of y. Backward, a block has a tile of channels of one
// image (device/column_tile.cuh) and its threads the positions in turn: it keeps s in registers, writes dx as it goes
// and folds the sums at the end; so dy and x are read once, and what an image comes to does not depend on its batch.
// Element by element where channels or addresses do not allow vectors.
// Bound: memory; x and y once, or dy, x and dx once.

#include "cuda/kernels/scale_channels.h"

#include "cuda/kernels/device/column_tile.cuh"
#include "cuda/kernels/device/image_index.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

template <class T, int N>
struct ScaledVector {
  Vector<T, N> x, s;
};

template <int N, class Index, class T>
__global__ void scale_channels_kernel(const T* x, const T* s, std::int64_t channels, T* y, std::int64_t count,
                                      ImageIndex<Index> place_of) {
  for_each_unrolled<2>(
      count,
      [&](std::int64_t i) {
        const auto [n, row, position, c] = place_of(i);
        return ScaledVector<T, N>{load_vector<N>(x + i * N), load_vector<N>(s + n * channels + c)};
      },
      [&](std::int64_t i, const ScaledVector<T, N>& from) {
        float to[N];
#pragma unroll
        for (int k = 0; k < N; ++k) to[k] = to_float(from.x.element[k]) * to_float(from.s.element[k]);
        store_floats<N>(y + i * N, to);
      });
}

template <int N, bool kWriteDx, class T>
__global__ void __launch_bounds__(kBlockThreads, kMappingBlocks)
    scale_channels_backward_kernel(const T* dy, const T* x, const T* s, ColumnTiling tiling, T* dx, T* ds) {
  constexpr int kRows = kWriteDx ? 2 : 4;  // four rows of two arrays, and what is written: more than 80 registers
  const ColumnPlace place(tiling);
  const std::int64_t of_image = place.row_block * tiling.channels + place.channel;
  float factor[N] = {};
  if (kWriteDx && place.active) load_floats<N>(s + of_image, factor);
  float sum[N] = {};
  for (std::int64_t row = place.first_row; row < place.end_row; row += kRows * place.step) {
    Vector<T, N> gradients[kRows] = {};
    Vector<T, N> values[kRows] = {};
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      const std::int64_t at = row + r * place.step;
      if (at >= place.end_row) continue;
      gradients[r] = load_vector<N>(dy + at * tiling.channels + place.channel);
      values[r] = load_vector<N>(x + at * tiling.channels + place.channel);
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      const std::int64_t at = row + r * place.step;
      float to[N];
#pragma unroll
      for (int k = 0; k < N; ++k) {
        const float gradient = to_float(gradients[r].element[k]);
        sum[k] = fmaf(gradient, to_float(values[r].element[k]), sum[k]);
        to[k] = gradient * factor[k];
      }
      if (kWriteDx && at < place.end_row) store_floats<N>(dx + at * tiling.channels + place.channel, to);
    }
  }
  fold_rows(sum, tiling.lanes, AddValues{});
  if (static_cast<int>(threadIdx.x) >= tiling.lanes || !place.active) return;
#pragma unroll
  for (int k = 0; k < N; ++k) ds[of_image + k] = from_float<T>(sum[k]);
}

}  // namespace

void scale_channels(const Stream& stream, DType dtype, const ScaleChannels& shape, const void* x, const void* s,
                    void* y) {
  const std::int64_t count = shape.images * shape.positions * shape.channels;
  if (count == 0) return;
  with_column_types(dtype, shape.channels, aligned_to_16(x, s, y), [&](auto type, auto vector) {
    with_index_type(count, [&](auto index) {
      using T = decltype(type);
      using Index = decltype(index);
      constexpr int kVector = decltype(vector)::value;
      launch(stream, {.kernel = "scale_channels", .grid = unrolled_grid(count / kVector, 2), .block = kBlockThreads},
             scale_channels_kernel<kVector, Index, T>, static_cast<const T*>(x), static_cast<const T*>(s),
             shape.channels, static_cast<T*>(y), count / kVector,
             ImageIndex<Index>(1, shape.positions, shape.channels, kVector));
    });
  });
}

void scale_channels_backward(const Stream& stream, DType dtype, const ScaleChannels& shape, const void* dy,
                             const void* x, const void* s, void* dx, void* ds) {
  if (shape.images * shape.channels == 0) return;
  with_column_types(dtype, shape.channels, aligned_to_16(dy, x, s, dx), [&](auto type, auto vector) {
    using T = decltype(type);
    constexpr int kVector = decltype(vector)::value;
    const ColumnTiling tiling = image_tiling(shape.images, shape.positions, shape.channels, kVector);
    launch(stream, {.kernel = "scale_channels_backward", .grid = tiling.grid(), .block = kBlockThreads},
           dx == nullptr ? scale_channels_backward_kernel<kVector, false, T>
                         : scale_channels_backward_kernel<kVector, true, T>,
           static_cast<const T*>(dy), static_cast<const T*>(x), static_cast<const T*>(s), tiling, static_cast<T*>(dx),
           static_cast<T*>(ds));
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
