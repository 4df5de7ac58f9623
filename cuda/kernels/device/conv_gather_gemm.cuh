#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/kernels/device/conv_gather.cuh"
#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/simt_tile_choice.cuh"
#include "cuda/runtime/launch.cuh"

// Convolution forward and backward data as one kernel: y[pixel][n] = sum over taps t and channels c of
// gathered[pixel moved by t][c] * w[t][c][n]. Forward gathers x; backward data gathers dy, with taps that step
// backwards.
//
// A block computes Tile::kM pixels by Tile::kN channels of one group. Which pixel of the gathered image a row of the
// tile starts from is worked out once and kept in shared memory; a thread loads at one tap and channel (vector) for all
// of its rows, which it moves on by kTileK elements a turn, so that no division is left inside the loop.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

struct GatherGemm {
  GatheredImage image{};
  std::int64_t images = 0;
  /// Result pixel (i, j) of an image, i < rows and j < columns, starts from (h_first + i * h_step, w_first + j *
  /// w_step).
  int rows = 0;
  int columns = 0;
  int h_first = 0;
  int h_step = 0;
  int w_first = 0;
  int w_step = 0;
  /// Tap (a, b) moves by (a * tap_h, b * tap_w); taps.outer x taps.middle of them, of taps.inner channels each.
  Digits taps{};
  Digits turn{};  ///< kTileK in their digits
  int tap_h = 0;
  int tap_w = 0;
  /// The result's element for channel 0 of pixel (0, 0), and steps from there in elements.
  std::int64_t out_first = 0;
  std::int64_t out_image = 0;
  std::int64_t out_row = 0;
  std::int64_t out_column = 0;
  int outputs = 0;  ///< channels of a group of the result
  /// The weight of tap (0, 0), and steps from there in elements.
  std::int64_t w_start = 0;
  std::int64_t w_tap_row = 0;
  std::int64_t w_tap_column = 0;
  std::int64_t w_channel = 0;  ///< to the next channel of the sum
  std::int64_t w_output = 0;   ///< to the next channel of the result
  std::int64_t w_group = 0;

  std::int64_t pixels() const { return images * rows * columns; }
  __host__ __device__ int depth() const { return taps.outer * taps.middle * taps.inner; }
};

/// Products that one launch computes, one a grid row: the residue classes of a strided backward pass.
struct GatherGemms {
  static constexpr int kMost = 4;
  GatherGemm of[kMost];
};

/// What the product is given beside its extents.
template <class T>
struct GatherGemmTensors {
  const T* gathered = nullptr;
  const T* w = nullptr;
  const float* bias = nullptr;  ///< may be null
  const T* residual = nullptr;  ///< added to y's sums; may be null and may be y
  bool relu = false;
  T* y = nullptr;
  bool vector_stores = false;  ///< y and residual allow accesses of 4 elements at multiples of 4 channels
};

/// Rows of the tile: pixels of the gathered image.
template <class Tile, class T, int kV>
struct GatheredRows {
  const GatherGemm& gemm;
  const T* gathered;
  const Displacement* pixels;  ///< [Tile::kM]
  Digits k;
  FragmentAlongK<T, kV, Tile::kM, Tile::kThreads> fragment{};

  __device__ __forceinline__ GatheredRows(const GatherGemm& of, const T* first, const Displacement* table)
      : gemm(of), gathered(first), pixels(table), k(digits_of(fragment.k(), of.taps)) {}
  __device__ __forceinline__ void prepare() {}
  __device__ __forceinline__ void load() {
    const int h = k.outer < gemm.taps.outer ? k.outer * gemm.tap_h : kOutside;
    const int w = k.middle * gemm.tap_w;
    const Displacement tap{gemm.image.offset(0, h, w) + k.inner, h, w};
#pragma unroll
    for (int pass = 0; pass < fragment.kPasses; ++pass) {
      if (fragment.holds(pass))
        fragment.vector[pass] = gemm.image.template load<kV>(gathered, pixels[fragment.row(pass)], tap);
    }
    advance(k, gemm.turn, gemm.taps);
  }
  __device__ __forceinline__ void store(float (&to)[kTileK][Tile::kM + kTilePad]) const { fragment.store(to); }
};

/// Columns of the tile where weights of one result channel lie side by side: forward.
template <class Tile, class T, int kV>
struct WeightsAlongK {
  struct Tables {};
  const GatherGemm& gemm;
  const T* w;
  int first_output;
  int k;
  FragmentAlongK<T, kV, Tile::kN, Tile::kThreads> fragment{};

  __device__ __forceinline__ WeightsAlongK(const GatherGemm& of, const T* weights, Tables& /*shared*/, int first)
      : gemm(of), w(weights), first_output(first), k(fragment.k()) {}
  __device__ __forceinline__ void prepare() {}
  __device__ __forceinline__ void load() {
#pragma unroll
    for (int pass = 0; pass < fragment.kPasses; ++pass) {
      const int output = first_output + fragment.row(pass);
      const bool inside = fragment.holds(pass) && output < gemm.outputs && k < gemm.depth();
      fragment.vector[pass] = load_if<kV>(inside, w + (output * gemm.w_output + k));
    }
    k += kTileK;
  }
  __device__ __forceinline__ void store(float (&to)[kTileK][Tile::kN + kTilePad]) const { fragment.store(to); }
};

/// Columns of the tile where weights of neighbouring result channels lie side by side: backward data. Where the next
/// kTileK steps of k start is worked out by one thread each, a turn ahead.
template <class Tile, class T, int kV>
struct WeightsAlongOutputs {
  struct Tables {
    std::int64_t start[2][kTileK];  ///< of the weights, -1 past the last tap
  };
  const GatherGemm& gemm;
  const T* w;
  Tables& tables;
  int first_output;
  Digits k;
  int prepared = 0;
  int loaded = 0;
  FragmentAlongRows<T, kV, Tile::kN, Tile::kThreads> fragment{};

  __device__ __forceinline__ WeightsAlongOutputs(const GatherGemm& of, const T* weights, Tables& shared, int first)
      : gemm(of),
        w(weights),
        tables(shared),
        first_output(first),
        k(digits_of(static_cast<int>(threadIdx.x), of.taps)) {}
  __device__ __forceinline__ void prepare() {
    if (threadIdx.x < kTileK) {
      tables.start[prepared][threadIdx.x] =
          k.outer < gemm.taps.outer ? k.outer * gemm.w_tap_row + k.middle * gemm.w_tap_column + k.inner * gemm.w_channel
                                    : -1;
      advance(k, gemm.turn, gemm.taps);
    }
    prepared ^= 1;
  }
  __device__ __forceinline__ void load() {
#pragma unroll
    for (int pass = 0; pass < fragment.kPasses; ++pass) {
      const int output = first_output + fragment.row(pass);
      const std::int64_t start = fragment.holds(pass) ? tables.start[loaded][fragment.k(pass)] : -1;
      fragment.vector[pass] = load_if<kV>(start >= 0 && output < gemm.outputs, w + (start + output));
    }
    loaded ^= 1;
  }
  __device__ __forceinline__ void store(float (&to)[kTileK][Tile::kN + kTilePad]) const { fragment.store(to); }
};

template <class Tile>
struct TilePixels {
  Displacement from[Tile::kM];    ///< in the gathered image, with the group's first channel
  std::int64_t result[Tile::kM];  ///< element of the result, without the group's channels; -1 past the last pixel
};

template <class Tile>
__device__ __forceinline__ void locate_pixels(const GatherGemm& gemm, std::int64_t first_pixel, int group,
                                              TilePixels<Tile>& pixels) {
  const unsigned an_image = static_cast<unsigned>(gemm.rows) * static_cast<unsigned>(gemm.columns);
  const std::int64_t first_image = first_pixel / an_image;
  const auto first = static_cast<unsigned>(first_pixel - first_image * an_image);
  for (int row = static_cast<int>(threadIdx.x); row < Tile::kM; row += Tile::kThreads) {
    const unsigned pixel = first + static_cast<unsigned>(row);
    const std::int64_t image = first_image + pixel / an_image;
    const int i = static_cast<int>(pixel % an_image / static_cast<unsigned>(gemm.columns));
    const int j = static_cast<int>(pixel % static_cast<unsigned>(gemm.columns));
    const int h = gemm.h_first + i * gemm.h_step;
    const int w = gemm.w_first + j * gemm.w_step;
    const bool inside = image < gemm.images;
    pixels.from[row] = {gemm.image.offset(image, h, w) + std::int64_t{group} * gemm.taps.inner, inside ? h : kOutside,
                        w};
    pixels.result[row] = inside ? gemm.out_first + image * gemm.out_image + i * gemm.out_row + j * gemm.out_column : -1;
  }
}

/// to[n] += from[n] for the first `count` of 4 elements, all at once where `vector`.
template <class T>
__device__ __forceinline__ void add_elements(const T* from, int count, bool vector, float (&to)[4]) {
  Vector<T, 4> values{};
  if (vector) {
    values = load_vector<4>(from);
  } else {
#pragma unroll
    for (int n = 0; n < 4; ++n) {
      if (n < count) values.element[n] = from[n];
    }
  }
#pragma unroll
  for (int n = 0; n < 4; ++n) to[n] += to_float(values.element[n]);
}

template <class Tile, class T>
__device__ __forceinline__ void store_results(const GatherGemm& gemm, const GatherGemmTensors<T>& tensors,
                                              const TilePixels<Tile>& pixels, int group, int first_output,
                                              float (&sum)[Tile::kThreadM][Tile::kThreadN]) {
  const std::int64_t group_outputs = std::int64_t{group} * gemm.outputs;
#pragma unroll
  for (int j = 0; j < Tile::kThreadN; j += 4) {
    const int output = first_output + Tile::column(j);
    const int outputs = min(4, gemm.outputs - output);
    float bias[4] = {};
    if (tensors.bias != nullptr) {
#pragma unroll
      for (int n = 0; n < 4; ++n) bias[n] = n < outputs ? tensors.bias[group_outputs + output + n] : 0.0f;
    }
#pragma unroll
    for (int i = 0; i < Tile::kThreadM; ++i) {
      const std::int64_t result = pixels.result[Tile::row(i)];
      if (result < 0 || outputs <= 0) continue;
      const std::int64_t element = result + group_outputs + output;
      float added[4] = {bias[0], bias[1], bias[2], bias[3]};
      if (tensors.residual != nullptr) add_elements(tensors.residual + element, outputs, tensors.vector_stores, added);
      Vector<T, 4> values;
#pragma unroll
      for (int n = 0; n < 4; ++n) {
        const float value = sum[i][j + n] + added[n];
        values.element[n] = from_float<T>(tensors.relu && value < 0.0f ? 0.0f : value);
      }
      T* to = tensors.y + element;
      if (tensors.vector_stores) {
        store_vector(to, values);
      } else {
#pragma unroll
        for (int n = 0; n < 4; ++n) {
          if (n < outputs) to[n] = values.element[n];
        }
      }
    }
  }
}

/// Grid: (groups x tiles of pixels x tiles of channels, the last fastest; products).
template <class Tile, class T, int kV, template <class, class, int> class Weights>
__global__ void __launch_bounds__(Tile::kThreads, Tile::blocks(kV))
    conv_gather_gemm_kernel(const __grid_constant__ GatherGemms gemms, unsigned pixel_tiles, unsigned channel_tiles,
                            const __grid_constant__ GatherGemmTensors<T> tensors) {
  const GatherGemm& gemm = gemms.of[blockIdx.y];
  const int first_output = static_cast<int>(blockIdx.x % channel_tiles) * Tile::kN;
  const std::int64_t first_pixel = std::int64_t{blockIdx.x / channel_tiles % pixel_tiles} * Tile::kM;
  const int group = static_cast<int>(blockIdx.x / channel_tiles / pixel_tiles);
  if (first_pixel >= gemm.images * gemm.rows * gemm.columns) return;
  __shared__ TilePixels<Tile> pixels;
  locate_pixels<Tile>(gemm, first_pixel, group, pixels);
  GatheredRows<Tile, T, kV> a(gemm, tensors.gathered, pixels.from);
  __shared__ typename Weights<Tile, T, kV>::Tables tables;
  Weights<Tile, T, kV> b(gemm, tensors.w + group * gemm.w_group + gemm.w_start, tables, first_output);
  float sum[Tile::kThreadM][Tile::kThreadN] = {};
  multiply_tiles<Tile>(a, b, (gemm.depth() + kTileK - 1) / kTileK, sum);
  store_results<Tile>(gemm, tensors, pixels, group, first_output, sum);
}

/// Launches the first `count` products, which share images, result channels and groups; kV elements a load.
template <template <class, class, int> class Weights, int kV, class T>
void launch_gather_gemm(const Stream& stream, const char* name, const GatherGemms& gemms, int count,
                        std::int64_t groups, const GatherGemmTensors<T>& tensors) {
  std::int64_t pixels = 0;
  for (int i = 0; i < count; ++i) pixels = std::max(pixels, gemms.of[i].pixels());
  const std::int64_t outputs = gemms.of[0].outputs;
  with_simt_tile(stream, pixels, outputs, groups * count, 1, [&](auto tile) {
    using Tile = decltype(tile);
    const auto pixel_tiles = static_cast<unsigned>(divide_up(pixels, Tile::kM));
    const auto channel_tiles = static_cast<unsigned>(divide_up(outputs, Tile::kN));
    const dim3 grid(static_cast<unsigned>(groups) * pixel_tiles * channel_tiles, static_cast<unsigned>(count));
    launch(stream, {.kernel = name, .grid = grid, .block = Tile::kThreads},
           conv_gather_gemm_kernel<Tile, T, kV, Weights>, gemms, pixel_tiles, channel_tiles, tensors);
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
