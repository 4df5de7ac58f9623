#include "engine/cpu/winograd_kernels.h"
#include "engine/cpu/winograd_vector.h"

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,fma")

namespace graft::winograd {
namespace {

/// Most rows of a register block: 14 x 2 accumulators, 2 vectors of U and a broadcast fill 31 of the 32 registers.
constexpr std::int64_t kMaxRows = 14;

/// `Rows` tiles times `Vectors` output blocks, summed over `in_blocks` x 16 channels in their order: an output's bits
/// do not depend on which other tiles it is computed with.
template <int Rows, int Vectors>
void tile_product(const float* v, std::int64_t v_stride, const float* u, std::int64_t in_blocks, float* m,
                  std::int64_t m_stride) {
  Vector sums[Rows][Vectors];
  for (int r = 0; r < Rows; ++r) {
    for (int c = 0; c < Vectors; ++c) sums[r][c] = _mm512_setzero_ps();
  }
  std::int64_t block = 0;
  do {  // at least one block: a loop that might not run would have the compiler keep zeros in memory
#pragma GCC unroll 2
    for (int k = 0; k < kLanes; ++k, u += Vectors * kLanes) {
      Vector weights[Vectors];
      for (int c = 0; c < Vectors; ++c) weights[c] = _mm512_loadu_ps(u + c * kLanes);
#pragma GCC unroll 14
      for (int r = 0; r < Rows; ++r) {
        const Vector value = _mm512_set1_ps(v[r * kLanes + k]);
        for (int c = 0; c < Vectors; ++c) sums[r][c] = fma(value, weights[c], sums[r][c]);
      }
    }
    v += v_stride;
  } while (++block < in_blocks);
  for (int r = 0; r < Rows; ++r) {
    for (int c = 0; c < Vectors; ++c) _mm512_storeu_ps(m + c * m_stride + r * kLanes, sums[r][c]);
  }
}

using TileProduct = void (*)(const float*, std::int64_t, const float*, std::int64_t, float*, std::int64_t);

template <int Vectors>
inline constexpr TileProduct kTileProducts[kMaxRows + 1] = {nullptr,
                                                            tile_product<1, Vectors>,
                                                            tile_product<2, Vectors>,
                                                            tile_product<3, Vectors>,
                                                            tile_product<4, Vectors>,
                                                            tile_product<5, Vectors>,
                                                            tile_product<6, Vectors>,
                                                            tile_product<7, Vectors>,
                                                            tile_product<8, Vectors>,
                                                            tile_product<9, Vectors>,
                                                            tile_product<10, Vectors>,
                                                            tile_product<11, Vectors>,
                                                            tile_product<12, Vectors>,
                                                            tile_product<13, Vectors>,
                                                            tile_product<14, Vectors>};

/// All tiles times `Vectors` output blocks, in register blocks of nearly equal height.
template <int Vectors>
void column_product(const float* v, const float* u, const ProductShape& shape, float* m) {
  const std::int64_t groups = (shape.tiles + kMaxRows - 1) / kMaxRows;
  for (std::int64_t g = 0; g < groups; ++g) {
    const std::int64_t begin = shape.tiles * g / groups;
    const std::int64_t rows = shape.tiles * (g + 1) / groups - begin;
    kTileProducts<Vectors>[rows](v + begin * kLanes, shape.v_tiles * kLanes, u, shape.in_blocks, m + begin * kLanes,
                                 shape.m_tiles * kLanes);
  }
}

/// `Rows` output channels times `Vectors` input blocks, summed over tiles.
template <int Rows, int Vectors>
void gradient_product(const float* d, const float* v, std::int64_t v_stride, std::int64_t tiles, bool accumulate,
                      float* du, std::int64_t du_stride) {
  Vector sums[Rows][Vectors];
  for (int r = 0; r < Rows; ++r) {
    for (int c = 0; c < Vectors; ++c) {
      sums[r][c] = accumulate ? _mm512_loadu_ps(du + r * du_stride + c * kLanes) : _mm512_setzero_ps();
    }
  }
  std::int64_t t = 0;
  do {
    Vector columns[Vectors];
    for (int c = 0; c < Vectors; ++c) columns[c] = _mm512_loadu_ps(v + c * v_stride);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      const Vector value = _mm512_set1_ps(d[r]);
      for (int c = 0; c < Vectors; ++c) sums[r][c] = fma(value, columns[c], sums[r][c]);
    }
    d += kLanes;
    v += kLanes;
  } while (++t < tiles);
  for (int r = 0; r < Rows; ++r) {
    for (int c = 0; c < Vectors; ++c) _mm512_storeu_ps(du + r * du_stride + c * kLanes, sums[r][c]);
  }
}

/// The rows of all output blocks at one point, `Vectors` columns of them.
template <int Vectors>
void gradient_columns(const float* d, const float* v, const GradientShape& shape, float* du) {
  constexpr int kRows = Vectors == 1 ? 16 : 8;
  const std::int64_t block_stride = shape.d_tiles * kLanes;
  const std::int64_t du_stride = shape.in_blocks * kLanes;
  for (std::int64_t block = shape.outputs.begin; block < shape.outputs.end; ++block) {
    for (int row = 0; row < kLanes; row += kRows) {
      gradient_product<kRows, Vectors>(d + block * block_stride + row, v, block_stride, shape.tiles, shape.accumulate,
                                       du + ((block - shape.outputs.begin) * kLanes + row) * du_stride, du_stride);
    }
  }
}

}  // namespace

void multiply(const float* v, const float* u, const ProductShape& shape, float* m) {
  const std::int64_t v_points = point_stride(shape.in_blocks, shape.v_tiles);
  const std::int64_t m_points = point_stride(shape.out_blocks, shape.m_tiles);
  for (std::int64_t point = 0; point < kPoints; ++point) {
    const float* values = v + point * v_points;
    const float* weights = u + point * shape.u_stride;
    float* products = m + point * m_points;
    std::int64_t block = 0;
    for (; block + 2 <= shape.out_blocks; block += 2) {
      column_product<2>(values, weights + block * shape.in_blocks * kLanes * kLanes, shape,
                        products + block * shape.m_tiles * kLanes);
    }
    if (block < shape.out_blocks) {
      column_product<1>(values, weights + block * shape.in_blocks * kLanes * kLanes, shape,
                        products + block * shape.m_tiles * kLanes);
    }
  }
}

void multiply_gradient(const float* d, const float* v, const GradientShape& shape, float* du) {
  const std::int64_t d_points = point_stride(shape.d_blocks, shape.d_tiles);
  const std::int64_t v_points = point_stride(shape.in_blocks, shape.d_tiles);
  for (std::int64_t point = 0; point < kPoints; ++point) {
    const float* rows = d + point * d_points;
    const float* columns = v + point * v_points;
    float* products = du + point * shape.stride;
    std::int64_t block = 0;
    for (; block + 2 <= shape.in_blocks; block += 2) {
      gradient_columns<2>(rows, columns + block * shape.d_tiles * kLanes, shape, products + block * kLanes);
    }
    if (block < shape.in_blocks) {
      gradient_columns<1>(rows, columns + block * shape.d_tiles * kLanes, shape, products + block * kLanes);
    }
  }
}

void add_to(const float* part, std::int64_t begin, std::int64_t end, float* sum) {
  for (std::int64_t i = begin; i < end; ++i) sum[i] += part[i];
}

}  // namespace graft::winograd

#pragma GCC pop_options
