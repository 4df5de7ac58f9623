// Stochastic depth (Huang et al. 2016): row n of y is that of x / (1 - p) where uniform(step, n) >= p, else 0. Backward
// is the same on dy: nothing is saved. The step is read from device memory, so that a captured graph draws anew.
//
// Threads: a block has 256 * 4 neighbouring 16-byte vectors of one row, a thread four of them, all loads before the
// first store; the draw of the row is made by every thread. Element by element where rows or addresses do not allow
// vectors.
// Bound: memory; y once and the rows of x that are kept.

#include "cuda/kernels/drop_path.h"

#include "cuda/kernels/device/column_tile.cuh"
#include "cuda/kernels/device/divide.cuh"
#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/philox.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kUnroll = 4;
constexpr std::int64_t kTile = std::int64_t{kUnroll} * kBlockThreads;

/// Word `index` of a step; chosen, not indexed, or the words would lie in local memory.
__device__ __forceinline__ unsigned philox_word(std::uint64_t key, std::uint64_t step, std::uint64_t index) {
  const uint4 words = philox_words(key, step, index / 4);
  const unsigned low = index % 2 == 0 ? words.x : words.y;
  const unsigned high = index % 2 == 0 ? words.z : words.w;
  return index % 4 < 2 ? low : high;
}

/// `vectors` of N elements a row, in `tiles` tiles a row.
template <int N, class T>
__global__ void drop_path_kernel(const T* x, DropoutMask mask, T* y, std::int64_t images, std::int64_t vectors,
                                 std::int64_t tiles) {
  const auto step = static_cast<std::uint64_t>(*mask.step);
  for (std::int64_t block = blockIdx.x; block < images * tiles; block += gridDim.x) {
    const std::int64_t image = block / tiles;
    const std::int64_t first = (block - image * tiles) * kTile + threadIdx.x;
    const bool kept = uniform_float(philox_word(mask.key, step, static_cast<std::uint64_t>(image))) >= mask.threshold;
    Vector<T, N> loaded[kUnroll] = {};
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      const std::int64_t i = first + u * kBlockThreads;
      if (kept && i < vectors) loaded[u] = load_vector<N>(x + (image * vectors + i) * N);
    }
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      const std::int64_t i = first + u * kBlockThreads;
      float to[N];
#pragma unroll
      for (int k = 0; k < N; ++k) to[k] = to_float(loaded[u].element[k]) * mask.keep_scale;
      if (i < vectors) store_floats<N>(y + (image * vectors + i) * N, to);
    }
  }
}

}  // namespace

void drop_path(const Stream& stream, DType dtype, const void* x, const DropoutMask& mask, void* y, std::int64_t images,
               std::int64_t size) {
  if (images * size == 0) return;
  with_column_types(dtype, size, aligned_to_16(x, y), [&](auto type, auto vector) {
    using T = decltype(type);
    constexpr int kVector = decltype(vector)::value;
    const std::int64_t tiles = divide_up(size / kVector, kTile);
    launch(stream, {.kernel = "drop_path", .grid = blocks_for(images * tiles), .block = kBlockThreads},
           drop_path_kernel<kVector, T>, static_cast<const T*>(x), mask, static_cast<T*>(y), images, size / kVector,
           tiles);
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
