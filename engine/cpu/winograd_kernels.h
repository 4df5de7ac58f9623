#pragma once

#include <cstdint>

#include "engine/base/dtype.h"

/// The arithmetic of Winograd's convolution F(4x4, 3x3) (Lavin and Gray 2016) on NHWC images, for processors with
/// AVX-512. winograd_plan.cpp arranges these calls over blocks and threads.
///
/// An output tile of 4 x 4 pixels comes from an input tile of 6 x 6. Both are taken to 36 points; there convolution is
/// a multiplication, summed over channels: 36 matrix products, with 36 / 16 multiplications an output instead of 9.
///
///   forward           V = B^T x B,  U = G w G^T,    M = V U over input channels,   y = A^T M A
///   data gradient     the same on dy, with the weights turned by 180 degrees and their channels exchanged
///   weight gradient   V = B^T x B,  D = A dy A^T,   dU = D^T V over tiles,         dw = G^T dU G
///
/// Channels come in blocks of 16, a vector, the last one padded with zeros. A block of tiles is stored as
/// [point][channel block][tile][16], points a `point_stride` of floats apart: one odd cache line more than dense, so
/// that the 36 points of a tile fall into different cache sets.
namespace graft::winograd {

inline constexpr std::int64_t kTile = 4;     ///< pixels a side of an output tile
inline constexpr std::int64_t kPoints = 36;  ///< points of a tile
inline constexpr std::int64_t kLanes = 16;   ///< floats of a vector

constexpr std::int64_t blocks_of(std::int64_t channels) { return (channels + kLanes - 1) / kLanes; }
constexpr std::int64_t point_stride(std::int64_t blocks, std::int64_t tiles) { return (blocks * tiles + 1) * kLanes; }

/// Images as tiles see them: the tile (n, i, j) begins at row 4 i - top, column 4 j - left.
struct TileGrid {
  std::int64_t height, width, channels;  ///< of the image
  std::int64_t rows, columns;            ///< tiles an image
  std::int64_t top, left;                ///< padding; 0 for the images that tiles are written to
  std::int64_t tiles_per_image() const { return rows * columns; }
};

/// Tiles [begin, end) of all images, counted through, stored as positions 0, 1, ... of a block of `stride_tiles`.
struct TileRange {
  std::int64_t begin, end;
  std::int64_t stride_tiles;
  std::int64_t count() const { return end - begin; }
};

/// Channel blocks [begin, end).
struct BlockRange {
  std::int64_t begin, end;
};

/// V of tiles of x (f32 or bf16), for the channel blocks `blocks`. `zeros`: at least `channels` elements of 0.
void transform_input(const void* x, DType dtype, const TileGrid& grid, const TileRange& tiles, const BlockRange& blocks,
                     const void* zeros, float* v);

/// D of tiles of dy, for the channel blocks `blocks`. Where `sum` is given, [channel blocks][16], the tiles' pixels are
/// added to it.
void transform_gradient(const void* dy, DType dtype, const TileGrid& grid, const TileRange& tiles,
                        const BlockRange& blocks, const void* zeros, float* d, float* sum);

/// What is done to the output's sums: + bias [channels], + residual (of y's shape and dtype; may be y), then ReLU; null
/// where there is none.
struct OutputEpilogue {
  const float* bias;
  const void* residual;
  bool relu;
};

/// y = A^T M A and its epilogue, for tiles of y and the channel blocks `blocks`; m holds these blocks only.
void transform_output(const float* m, const OutputEpilogue& epilogue, DType dtype, const TileGrid& grid,
                      const TileRange& tiles, const BlockRange& blocks, void* y);

/// Weights [O, 3, 3, C] of a product: U [point][pair of output blocks][input channel][32 or 16 outputs].
struct WeightShape {
  std::int64_t outputs, inputs;  ///< channels of the tensor: O, C
};

/// U of the output blocks `blocks` for the forward pass: sums over C, gives O. Points lie `stride` floats apart.
void transform_weights(const void* w, DType dtype, const WeightShape& shape, const BlockRange& blocks,
                       std::int64_t stride, float* u);
/// U of the output blocks `blocks` for the data gradient: sums over O, gives C.
void transform_weights_turned(const void* w, DType dtype, const WeightShape& shape, const BlockRange& blocks,
                              std::int64_t stride, float* u);

/// Extents of the 36 products.
struct ProductShape {
  std::int64_t tiles;       ///< rows of V and M that are computed
  std::int64_t v_tiles;     ///< tiles that V's blocks are stored for
  std::int64_t m_tiles;     ///< and M's
  std::int64_t in_blocks;   ///< summed over
  std::int64_t out_blocks;  ///< of U and M
  std::int64_t u_stride;    ///< floats between U's points
};
/// M = V U at all points.
void multiply(const float* v, const float* u, const ProductShape& shape, float* m);

/// Extents of the weight gradient's products: dU [point][row of `rows`][column block][16], points `stride` apart.
struct GradientShape {
  std::int64_t tiles;      ///< summed over
  std::int64_t d_tiles;    ///< tiles that D's blocks are stored for, as V's
  std::int64_t d_blocks;   ///< blocks that D is stored for
  BlockRange outputs;      ///< blocks of D that are the rows of dU
  std::int64_t in_blocks;  ///< blocks of V: the columns
  std::int64_t stride;
  bool accumulate;  ///< add to dU instead of overwriting it
};
/// dU = D^T V at all points.
void multiply_gradient(const float* d, const float* v, const GradientShape& shape, float* du);

/// dw = G^T dU G for the output blocks `outputs` of dw [O, 3, 3, C]; dU as multiply_gradient gives it.
void transform_weight_gradient(const float* du, const WeightShape& shape, const BlockRange& outputs,
                               std::int64_t stride, float* dw);

/// sum[i] += part[i] for i in [begin, end): the sum of two threads' gradients.
void add_to(const float* part, std::int64_t begin, std::int64_t end, float* sum);

}  // namespace graft::winograd
