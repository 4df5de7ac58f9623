#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/runtime/stream.h"

// Matrices [rows, channels] with channels fastest, as images in NHWC are, by blocks of kBlockThreads threads: `lanes`
// threads lie along the channels, each with a vector of them, the others take further rows. So a warp reads dense
// pieces of memory, a thread keeps what belongs to its channels in registers, and a block that sums over rows ends with
// one value for each of its channels.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Blocks that a multiprocessor shall hold at once, for __launch_bounds__: of kernels that sum over rows (64 registers
/// a thread), and of those that keep several values of each channel (80).
inline constexpr int kReducingBlocks = 4;
inline constexpr int kMappingBlocks = 3;

/// How a matrix is cut into blocks. Block b has the channels of tile b % column_tiles and the rows
/// [r * rows_a_block, (r + 1) * rows_a_block) with r = b / column_tiles.
struct ColumnTiling {
  std::int64_t rows = 0;
  std::int64_t channels = 0;
  std::int64_t rows_a_block = 1;
  std::int64_t row_blocks = 0;
  std::int64_t column_tiles = 0;
  int vector = 1;  ///< channels of a thread; divides `channels`
  int lanes = 1;   ///< threads along the channels, a power of two, at most 32

  int row_step() const { return kBlockThreads / lanes; }
  dim3 grid() const { return blocks_for(column_tiles * row_blocks); }
};

/// Channels of a thread where `aligned`, true iff all addresses are multiples of 16: a whole vector if that divides
/// them, else one.
template <class T>
int column_vector(std::int64_t channels, bool aligned) {
  return aligned && channels % kVectorElements<T> == 0 ? kVectorElements<T> : 1;
}

/// `row_blocks` is a wish: each gets at least `thread_rows` rows for every thread if there are so many.
inline ColumnTiling column_tiling(std::int64_t rows, std::int64_t channels, int vector, std::int64_t row_blocks,
                                  int thread_rows) {
  ColumnTiling tiling{.rows = rows, .channels = channels, .vector = vector};
  while (tiling.lanes < 32 && std::int64_t{tiling.lanes} * vector < channels) tiling.lanes *= 2;
  tiling.column_tiles = divide_up(channels, std::int64_t{tiling.lanes} * vector);
  const std::int64_t step = tiling.row_step();
  const std::int64_t least = step * thread_rows;
  tiling.rows_a_block = std::max(divide_up(divide_up(rows, std::max<std::int64_t>(row_blocks, 1)), step) * step, least);
  tiling.row_blocks = std::max<std::int64_t>(divide_up(rows, tiling.rows_a_block), 1);
  return tiling;
}

/// For sums over rows: as many blocks as run at once, so that there are few partial sums and all blocks are equal.
/// More `blocks_a_multiprocessor` never give fewer row blocks.
inline ColumnTiling reducing_tiling(const Device& device, std::int64_t rows, std::int64_t channels, int vector,
                                    int blocks_a_multiprocessor = kReducingBlocks) {
  constexpr int kThreadRows = 4;
  const std::int64_t tiles = divide_up(channels, std::int64_t{32} * vector);
  return column_tiling(rows, channels, vector, std::int64_t{device.multiprocessors} * blocks_a_multiprocessor / tiles,
                       kThreadRows);
}

/// For maps: enough rows a thread to pay for the reading of what belongs to its channels, and enough blocks that the
/// last ones to run do not count.
inline ColumnTiling mapping_tiling(const Device& device, std::int64_t rows, std::int64_t channels, int vector) {
  constexpr int kBlocks = 5 * kMappingBlocks;
  constexpr int kThreadRows = 4;
  const std::int64_t tiles = divide_up(channels, std::int64_t{32} * vector);
  return column_tiling(rows, channels, vector, std::int64_t{device.multiprocessors} * kBlocks / tiles, kThreadRows);
}

/// Every image [positions, channels] is a block of rows of its own: what it comes to does not depend on its batch.
inline ColumnTiling image_tiling(std::int64_t images, std::int64_t positions, std::int64_t channels, int vector) {
  ColumnTiling tiling = column_tiling(positions, channels, vector, 1, 1);
  tiling.rows = images * positions;
  tiling.rows_a_block = positions;
  tiling.row_blocks = images;
  return tiling;
}

/// A thread's share of a tiling.
struct ColumnPlace {
  std::int64_t channel;  ///< the first of its vector
  std::int64_t row_block;
  std::int64_t first_row;  ///< then every step-th
  std::int64_t end_row;    ///< of the block
  int step;
  bool active;  ///< false where the last tile of channels is not full: such a thread has no rows

  __device__ __forceinline__ explicit ColumnPlace(const ColumnTiling& tiling, std::int64_t block = blockIdx.x) {
    const int lane = static_cast<int>(threadIdx.x) & (tiling.lanes - 1);
    step = kBlockThreads / tiling.lanes;
    row_block = block / tiling.column_tiles;
    channel = ((block - row_block * tiling.column_tiles) * tiling.lanes + lane) * tiling.vector;
    active = channel < tiling.channels;
    first_row = row_block * tiling.rows_a_block + static_cast<int>(threadIdx.x) / tiling.lanes;
    end_row = active ? min(tiling.rows, (row_block + 1) * tiling.rows_a_block) : 0;
  }
};

/// Folds the kValues of each thread over the block's rows: merge(mine, other) joins another thread's, in an order that
/// depends on `lanes` alone. Threads 0 .. lanes - 1 end with the results. Once a kernel: it does not wait at its end.
template <int kValues, class Merge>
__device__ __forceinline__ void fold_rows(float (&mine)[kValues], int lanes, const Merge& merge) {
  __shared__ float values[kValues][kBlockThreads];
  const int thread = static_cast<int>(threadIdx.x);
#pragma unroll
  for (int k = 0; k < kValues; ++k) values[k][thread] = mine[k];
  for (int half = kBlockThreads / 2; half >= lanes; half /= 2) {
    __syncthreads();
    if (thread >= half) continue;
    float other[kValues];
#pragma unroll
    for (int k = 0; k < kValues; ++k) other[k] = values[k][thread + half];
    merge(mine, other);
#pragma unroll
    for (int k = 0; k < kValues; ++k) values[k][thread] = mine[k];
  }
}

/// Joins by addition.
struct AddValues {
  template <int kValues>
  __device__ __forceinline__ void operator()(float (&mine)[kValues], const float (&other)[kValues]) const {
#pragma unroll
    for (int k = 0; k < kValues; ++k) mine[k] += other[k];
  }
};

// Kernels that join the partial results of row blocks: kJoinChannels channels a block, the other threads along the
// partial results.
inline constexpr int kJoinChannels = 8;
inline constexpr int kJoinStep = kBlockThreads / kJoinChannels;
inline dim3 joining_grid(std::int64_t channels) { return blocks_for(divide_up(channels, kJoinChannels)); }

/// body(type, vector) with the widest vector of channels that they and the addresses allow.
template <class Body>
void with_column_types(DType dtype, std::int64_t channels, bool aligned, const Body& body) {
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    if (column_vector<T>(channels, aligned) > 1) {
      body(type, std::integral_constant<int, kVectorElements<T>>{});
    } else {
      body(type, std::integral_constant<int, 1>{});
    }
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
