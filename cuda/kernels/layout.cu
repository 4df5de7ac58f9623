// y[b, c, r] = x[b, r, c]: a batch of transpositions, such as NHWC to NCHW and back.
//
// transpose_tile_kernel: a block moves one tile of 32 x 32 elements (64 x 64 of the one- and two-byte ones) through
// shared memory, so that it both reads and writes along rows; rows of the tile are padded to an odd number of banks.
// transpose_narrow_kernel: where rows or columns are few, as the three channels of a picture, a tile would be mostly
// empty: a thread takes one position of the long side and all of the short one, so that a warp reads or writes
// 32 neighbours of each plane, and what it touches of the other array is one dense piece.
// Bound: memory; 2 * elements * size bytes.

#include "cuda/kernels/layout.h"

#include "cuda/kernels/device/divide.cuh"
#include "cuda/kernels/device/grid.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr std::int64_t kNarrow = 16;

/// Elements of a tile's side: at least 64 bytes.
template <class T>
constexpr int kTile = sizeof(T) <= 2 ? 64 : 32;
template <class T>
constexpr int kPadding = sizeof(T) < 4 ? 4 / static_cast<int>(sizeof(T)) : 1;

template <class T>
__global__ void transpose_tile_kernel(const T* x, T* y, std::int64_t rows, std::int64_t columns) {
  constexpr int kSide = kTile<T>;
  constexpr int kStep = kBlockThreads / kSide;
  __shared__ T tile[kSide][kSide + kPadding<T>];
  const std::int64_t tile_columns = divide_up(columns, kSide);
  const std::int64_t tile_rows = divide_up(rows, kSide);
  const std::int64_t matrix = blockIdx.x / (tile_rows * tile_columns);
  const std::int64_t first_row = blockIdx.x / tile_columns % tile_rows * kSide;
  const std::int64_t first_column = blockIdx.x % tile_columns * kSide;
  x += matrix * rows * columns;
  y += matrix * rows * columns;
  const int along = static_cast<int>(threadIdx.x) % kSide;
  const int across = static_cast<int>(threadIdx.x) / kSide;
#pragma unroll
  for (int r = across; r < kSide; r += kStep) {
    if (first_row + r < rows && first_column + along < columns)
      tile[r][along] = x[(first_row + r) * columns + first_column + along];
  }
  __syncthreads();
#pragma unroll
  for (int c = across; c < kSide; c += kStep) {
    if (first_column + c < columns && first_row + along < rows)
      y[(first_column + c) * rows + first_row + along] = tile[along][c];
  }
}

/// Where element (position, k) of a matrix lies, `k` along its short side.
struct Steps {
  std::int64_t position;
  std::int64_t k;
};

template <class Index, class T>
__global__ void transpose_narrow_kernel(const T* x, Steps from, T* y, Steps to, std::int64_t matrices,
                                        Divider<Index> wide, int narrow) {
  const std::int64_t count = matrices * wide.divisor;
  const std::int64_t stride = std::int64_t{gridDim.x} * kBlockThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kBlockThreads + threadIdx.x; i < count; i += stride) {
    auto position = static_cast<Index>(i);
    const std::int64_t matrix = wide.split(position);
    const std::int64_t first = matrix * wide.divisor * narrow;
    for (int k = 0; k < narrow; ++k)
      y[first + position * to.position + k * to.k] = x[first + position * from.position + k * from.k];
  }
}

template <class T>
void transpose_narrow(const Stream& stream, const MatrixBatch& shape, const T* x, T* y) {
  const auto [matrices, rows, columns, element_bytes] = shape;
  const std::int64_t wide = std::max(rows, columns);
  const std::int64_t narrow = std::min(rows, columns);
  const Steps dense{narrow, 1};
  const Steps planes{1, wide};
  const bool few_columns = columns == narrow;
  with_index_type(matrices * wide, [&](auto index) {
    using Index = decltype(index);
    launch(stream, {.kernel = "transpose_narrow", .grid = unrolled_grid(matrices * wide, 1), .block = kBlockThreads},
           transpose_narrow_kernel<Index, T>, x, few_columns ? dense : planes, y, few_columns ? planes : dense,
           matrices, Divider<Index>(wide), static_cast<int>(narrow));
  });
}

template <class T>
void transpose_as(const Stream& stream, const MatrixBatch& shape, const void* x, void* y) {
  const auto* from = static_cast<const T*>(x);
  auto* to = static_cast<T*>(y);
  if (std::min(shape.rows, shape.columns) <= kNarrow) return transpose_narrow(stream, shape, from, to);
  const std::int64_t tiles = shape.matrices * divide_up(shape.rows, kTile<T>) * divide_up(shape.columns, kTile<T>);
  launch(stream, {.kernel = "transpose", .grid = blocks_for(tiles), .block = kBlockThreads}, transpose_tile_kernel<T>,
         from, to, shape.rows, shape.columns);
}

}  // namespace

void transpose(const Stream& stream, const MatrixBatch& shape, const void* x, void* y) {
  if (shape.matrices * shape.rows * shape.columns == 0) return;
  switch (shape.element_bytes) {
    case 1:
      return transpose_as<std::uint8_t>(stream, shape, x, y);
    case 2:
      return transpose_as<std::uint16_t>(stream, shape, x, y);
    case 4:
      return transpose_as<std::uint32_t>(stream, shape, x, y);
    default:
      return transpose_as<std::uint64_t>(stream, shape, x, y);
  }
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
