// Copies a piece of every row from one matrix into another, byte for byte: how channels are joined and parted.
//
// Threads: each moves four words, all loads before the first store; neighbouring threads neighbouring words. A word has
// the 16, 8, 4, 2 bytes or 1 byte that divide addresses, rows and piece.
// Bound: memory; 2 * rows * piece bytes.

#include "cuda/kernels/copy_channels.h"

#include "cuda/kernels/device/divide.cuh"
#include "cuda/kernels/device/grid.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kUnroll = 4;

/// Extents in words.
template <class Index, class Word>
__global__ void copy_row_pieces_kernel(const Word* x, std::int64_t x_row, Word* y, std::int64_t y_row,
                                       std::int64_t count, Divider<Index> piece) {
  for_each_unrolled<kUnroll>(
      count,
      [&](std::int64_t i) {
        auto word = static_cast<Index>(i);
        const Index row = piece.split(word);
        return x[static_cast<std::int64_t>(row) * x_row + static_cast<std::int64_t>(word)];
      },
      [&](std::int64_t i, const Word& value) {
        auto word = static_cast<Index>(i);
        const Index row = piece.split(word);
        y[static_cast<std::int64_t>(row) * y_row + static_cast<std::int64_t>(word)] = value;
      });
}

template <class Word>
void copy_words(const Stream& stream, const RowPieces& pieces, const void* x, void* y) {
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(Word));
  const std::int64_t piece = pieces.piece / kSize;
  const std::int64_t count = pieces.rows * piece;
  with_index_type(count, [&](auto index) {
    using Index = decltype(index);
    launch(stream, {.kernel = "copy_channels", .grid = unrolled_grid(count, kUnroll), .block = kBlockThreads},
           copy_row_pieces_kernel<Index, Word>, static_cast<const Word*>(x), pieces.x_row / kSize,
           static_cast<Word*>(y), pieces.y_row / kSize, count, Divider<Index>(piece));
  });
}

}  // namespace

void copy_row_pieces(const Stream& stream, const RowPieces& pieces, const void* x, void* y) {
  if (pieces.rows == 0 || pieces.piece == 0) return;
  const auto all = reinterpret_cast<std::uintptr_t>(x) | reinterpret_cast<std::uintptr_t>(y) |
                   static_cast<std::uintptr_t>(pieces.piece | pieces.x_row | pieces.y_row);
  if (all % 16 == 0) return copy_words<uint4>(stream, pieces, x, y);
  if (all % 8 == 0) return copy_words<uint2>(stream, pieces, x, y);
  if (all % 4 == 0) return copy_words<std::uint32_t>(stream, pieces, x, y);
  if (all % 2 == 0) return copy_words<std::uint16_t>(stream, pieces, x, y);
  copy_words<std::uint8_t>(stream, pieces, x, y);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
