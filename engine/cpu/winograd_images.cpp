#include "engine/cpu/winograd_kernels.h"
#include "engine/cpu/winograd_vector.h"

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,fma")

namespace graft::winograd {
namespace {

/// Walks tiles in their order: image, tile row, tile column.
struct TileCursor {
  std::int64_t image, row, column;

  TileCursor(const TileGrid& grid, std::int64_t tile)
      : image(tile / grid.tiles_per_image()),
        row(tile % grid.tiles_per_image() / grid.columns),
        column(tile % grid.columns) {}
  void next(const TileGrid& grid) {
    if (++column < grid.columns) return;
    column = 0;
    if (++row < grid.rows) return;
    row = 0;
    ++image;
  }
};

/// Addresses of the `Side` x `Side` pixels of a tile, first channel; pixels outside of the image read `zeros`.
template <int Side, class T>
inline void pixel_addresses(const T* images, const TileGrid& grid, const TileCursor& at, const T* zeros,
                            const T* addresses[Side * Side]) {
  const std::int64_t row = kTile * at.row - grid.top;
  const std::int64_t column = kTile * at.column - grid.left;
  const T* image = images + at.image * grid.height * grid.width * grid.channels;
  for (int i = 0; i < Side; ++i) {
    const bool row_inside = row + i >= 0 && row + i < grid.height;
    const T* line = image + ((row + i) * grid.width + column) * grid.channels;
    for (int j = 0; j < Side; ++j) {
      const bool inside = row_inside && column + j >= 0 && column + j < grid.width;
      addresses[i * Side + j] = inside ? line + j * grid.channels : zeros;
    }
  }
}

template <class T>
void input_tiles(const T* x, const TileGrid& grid, const TileRange& tiles, const BlockRange& blocks, const T* zeros,
                 float* v) {
  const std::int64_t stride = point_stride(blocks_of(grid.channels), tiles.stride_tiles);
  TileCursor at(grid, tiles.begin);
  for (std::int64_t t = 0; t < tiles.count(); ++t, at.next(grid)) {
    const T* pixels[36];
    pixel_addresses<6>(x, grid, at, zeros, pixels);
    for (std::int64_t block = blocks.begin; block < blocks.end; ++block) {
      const std::int64_t channel = block * kLanes;
      const __mmask16 mask = lanes(grid.channels - channel);
      Vector columns[6][6];
      for (int j = 0; j < 6; ++j) {
        Vector pixel[6], point[6];
        for (int i = 0; i < 6; ++i) pixel[i] = load(pixels[i * 6 + j] + channel, mask);
        input_points(pixel, point);
        for (int i = 0; i < 6; ++i) columns[i][j] = point[i];
      }
      float* out = v + (block * tiles.stride_tiles + t) * kLanes;
      for (int i = 0; i < 6; ++i) {
        Vector point[6];
        input_points(columns[i], point);
        for (int j = 0; j < 6; ++j) _mm512_storeu_ps(out + (i * 6 + j) * stride, point[j]);
      }
    }
  }
}

template <class T>
void gradient_tiles(const T* dy, const TileGrid& grid, const TileRange& tiles, const BlockRange& blocks, const T* zeros,
                    float* d, float* sum) {
  const std::int64_t stride = point_stride(blocks_of(grid.channels), tiles.stride_tiles);
  TileCursor at(grid, tiles.begin);
  for (std::int64_t t = 0; t < tiles.count(); ++t, at.next(grid)) {
    const T* pixels[16];
    pixel_addresses<4>(dy, grid, at, zeros, pixels);
    for (std::int64_t block = blocks.begin; block < blocks.end; ++block) {
      const std::int64_t channel = block * kLanes;
      const __mmask16 mask = lanes(grid.channels - channel);
      Vector columns[6][4];
      Vector total = _mm512_setzero_ps();
      for (int j = 0; j < 4; ++j) {
        Vector pixel[4], point[6];
        for (int i = 0; i < 4; ++i) pixel[i] = load(pixels[i * 4 + j] + channel, mask);
        total =
            _mm512_add_ps(total, _mm512_add_ps(_mm512_add_ps(pixel[0], pixel[1]), _mm512_add_ps(pixel[2], pixel[3])));
        gradient_points(pixel, point);
        for (int i = 0; i < 6; ++i) columns[i][j] = point[i];
      }
      if (sum != nullptr) _mm512_storeu_ps(sum + channel, _mm512_add_ps(_mm512_loadu_ps(sum + channel), total));
      float* out = d + (block * tiles.stride_tiles + t) * kLanes;
      for (int i = 0; i < 6; ++i) {
        Vector point[6];
        gradient_points(columns[i], point);
        for (int j = 0; j < 6; ++j) _mm512_storeu_ps(out + (i * 6 + j) * stride, point[j]);
      }
    }
  }
}

/// Of an image: the place of a tile's first pixel, in elements.
std::int64_t corner_of(const TileGrid& grid, const TileCursor& at) {
  return ((at.image * grid.height + kTile * at.row) * grid.width + kTile * at.column) * grid.channels;
}

/// Adds `residual` to the pixels of a tile that lie in the image, and stores max(floor, pixel). `residual` (null where
/// there is none) and `y` point to the tile's first pixel.
template <class T>
inline void store_tile(const Vector pixels[4][4], const TileGrid& grid, const TileCursor& at, __mmask16 mask,
                       Vector floor, const T* residual, T* y) {
  const std::int64_t rows = grid.height - kTile * at.row;
  const std::int64_t columns = grid.width - kTile * at.column;
  for (int i = 0; i < 4; ++i) {
    if (i >= rows) break;
    const std::int64_t line = i * grid.width * grid.channels;
    for (int j = 0; j < 4; ++j) {
      if (j >= columns) break;
      const std::int64_t pixel = line + j * grid.channels;
      Vector value = pixels[i][j];
      if (residual != nullptr) value = _mm512_add_ps(value, load(residual + pixel, mask));
      // The second operand wins where one is NaN: NaN passes, as it does through max(0, x) of the other kernels.
      store(y + pixel, mask, _mm512_max_ps(floor, value));
    }
  }
}

template <class T>
void output_tiles(const float* m, const OutputEpilogue& epilogue, const TileGrid& grid, const TileRange& tiles,
                  const BlockRange& blocks, T* y) {
  const std::int64_t stride = point_stride(blocks.end - blocks.begin, tiles.stride_tiles);
  const Vector floor = _mm512_set1_ps(epilogue.relu ? 0.0f : -__builtin_inff());
  const T* residual = static_cast<const T*>(epilogue.residual);
  for (std::int64_t block = blocks.begin; block < blocks.end; ++block) {
    const std::int64_t channel = block * kLanes;
    const __mmask16 mask = lanes(grid.channels - channel);
    const Vector shift = epilogue.bias == nullptr ? _mm512_setzero_ps() : load(epilogue.bias + channel, mask);
    TileCursor at(grid, tiles.begin);
    for (std::int64_t t = 0; t < tiles.count(); ++t, at.next(grid)) {
      const float* in = m + ((block - blocks.begin) * tiles.stride_tiles + t) * kLanes;
      Vector columns[4][6];
      for (int j = 0; j < 6; ++j) {
        Vector point[6], pixel[4];
        for (int i = 0; i < 6; ++i) point[i] = _mm512_loadu_ps(in + (i * 6 + j) * stride);
        output_pixels(point, pixel);
        for (int i = 0; i < 4; ++i) columns[i][j] = pixel[i];
      }
      Vector pixels[4][4];
      for (int i = 0; i < 4; ++i) {
        output_pixels(columns[i], pixels[i]);
        for (int j = 0; j < 4; ++j) pixels[i][j] = _mm512_add_ps(pixels[i][j], shift);
      }
      const std::int64_t corner = corner_of(grid, at) + channel;
      store_tile(pixels, grid, at, mask, floor, residual == nullptr ? nullptr : residual + corner, y + corner);
    }
  }
}

}  // namespace

void transform_input(const void* x, DType dtype, const TileGrid& grid, const TileRange& tiles, const BlockRange& blocks,
                     const void* zeros, float* v) {
  if (dtype == DType::bf16) {
    input_tiles(static_cast<const bfloat16*>(x), grid, tiles, blocks, static_cast<const bfloat16*>(zeros), v);
  } else {
    input_tiles(static_cast<const float*>(x), grid, tiles, blocks, static_cast<const float*>(zeros), v);
  }
}

void transform_gradient(const void* dy, DType dtype, const TileGrid& grid, const TileRange& tiles,
                        const BlockRange& blocks, const void* zeros, float* d, float* sum) {
  if (dtype == DType::bf16) {
    gradient_tiles(static_cast<const bfloat16*>(dy), grid, tiles, blocks, static_cast<const bfloat16*>(zeros), d, sum);
  } else {
    gradient_tiles(static_cast<const float*>(dy), grid, tiles, blocks, static_cast<const float*>(zeros), d, sum);
  }
}

void transform_output(const float* m, const OutputEpilogue& epilogue, DType dtype, const TileGrid& grid,
                      const TileRange& tiles, const BlockRange& blocks, void* y) {
  if (dtype == DType::bf16) {
    output_tiles(m, epilogue, grid, tiles, blocks, static_cast<bfloat16*>(y));
  } else {
    output_tiles(m, epilogue, grid, tiles, blocks, static_cast<float*>(y));
  }
}

}  // namespace graft::winograd

#pragma GCC pop_options
