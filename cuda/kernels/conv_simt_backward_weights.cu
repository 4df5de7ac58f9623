// Convolution backward weights on CUDA cores, an implicit matrix product in f32 over f32 or bf16:
// dw[o][tap][c] = sum over pixels of y of dy[pixel][o] * x[pixel moved by the tap][c].
//
// Threads: a block computes Tile::kM (tap, c) by Tile::kN output channels of one group, over a share of the pixels:
// the sum is long and the result small, so pixels are split between as many blocks as fill the device (split-K);
// each leaves its part in scratch and a second kernel adds the parts in their order. Where a tap leads and which
// channel it takes is worked out once for the tile's rows; where the next kTileK pixels lie, by one thread each, a
// turn ahead; both wait in shared memory. Loads are of 4 elements where both channel counts of a group are multiples
// of 4, of one elsewhere.
// Bound: arithmetic; 2 * y_count * taps * group_channels FLOPs.
// Registers (nvcc 13, sm_90, vector loads, f32): tile 128x128 128, 64x64 139, 128x32 93, 128x16 121; no spills on
// sm_80 and sm_90.

#include "cuda/kernels/conv_simt_backward_weights.h"

#include <algorithm>

#include "cuda/kernels/device/conv_gather.cuh"
#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/simt_tile_choice.cuh"
#include "cuda/kernels/partial_sums.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

struct WeightsGemm {
  GatheredImage image{};
  Digits taps{};
  int tap_h = 0;
  int tap_w = 0;
  Digits pixels{};  ///< middle: rows of y, inner: columns
  Digits turn{};    ///< kTileK in digits of pixels
  int stride_h = 0;
  int stride_w = 0;
  int pad_top = 0;
  int pad_left = 0;
  std::int64_t pixel_count = 0;
  std::int64_t split_pixels = 0;  ///< a multiple of kTileK
  std::int64_t out_channels = 0;
  int outputs = 0;  ///< of a group
  std::int64_t w_count = 0;

  __host__ __device__ int rows() const { return taps.outer * taps.middle * taps.inner; }
};

/// Rows of the tile: x at the tap and channel of the row.
template <class Tile, class T, int kV>
struct TapRows {
  struct Tables {
    Displacement taps[Tile::kM / kV];
    Displacement pixels[2][kTileK];
  };
  const WeightsGemm& gemm;
  const T* x;
  Tables& tables;
  Digits pixel;
  std::int64_t left;  ///< pixels from `pixel` to the end of this split
  int prepared = 0;
  int loaded = 0;
  FragmentAlongRows<T, kV, Tile::kM, Tile::kThreads> fragment{};

  /// `first`: the split's first pixel, `count`: its pixels.
  __device__ __forceinline__ TapRows(const WeightsGemm& of, const T* image, Tables& shared, int first_row,
                                     std::int64_t first, std::int64_t count)
      : gemm(of), x(image), tables(shared) {
    for (int i = static_cast<int>(threadIdx.x); i < Tile::kM / kV; i += Tile::kThreads) {
      const Digits tap = digits_of(first_row + i * kV, of.taps);
      const int h = tap.outer < of.taps.outer ? tap.outer * of.tap_h : kOutside;
      const int w = tap.middle * of.tap_w;
      tables.taps[i] = {of.image.offset(0, h, w) + tap.inner, h, w};
    }
    const std::int64_t mine = first + threadIdx.x;
    const std::int64_t row = mine / of.pixels.inner;
    pixel = {static_cast<int>(row / of.pixels.middle), static_cast<int>(row % of.pixels.middle),
             static_cast<int>(mine % of.pixels.inner)};
    left = count - threadIdx.x;
  }
  __device__ __forceinline__ void prepare() {
    if (threadIdx.x < kTileK) {
      const int h = left > 0 ? pixel.middle * gemm.stride_h - gemm.pad_top : kOutside;
      const int w = pixel.inner * gemm.stride_w - gemm.pad_left;
      tables.pixels[prepared][threadIdx.x] = {gemm.image.offset(pixel.outer, h, w), h, w};
      advance(pixel, gemm.turn, gemm.pixels);
      left -= kTileK;
    }
    prepared ^= 1;
  }
  __device__ __forceinline__ void load() {
#pragma unroll
    for (int pass = 0; pass < fragment.kPasses; ++pass) {
      if (fragment.holds(pass))
        fragment.vector[pass] = gemm.image.template load<kV>(x, tables.taps[fragment.row(pass) / kV],
                                                             tables.pixels[loaded][fragment.k(pass)]);
    }
    loaded ^= 1;
  }
  __device__ __forceinline__ void store(float (&to)[kTileK][Tile::kM + kTilePad]) const { fragment.store(to); }
};

/// Columns of the tile: dy at the output channel of the column.
template <class Tile, class T, int kV>
struct OutputColumns {
  const T* dy;  ///< this thread's first vector; moves on
  std::int64_t turn;
  std::int64_t out_channels;
  std::int64_t left;
  int outputs;  ///< from the tile's first one
  FragmentAlongRows<T, kV, Tile::kN, Tile::kThreads> fragment{};

  __device__ __forceinline__ OutputColumns(const WeightsGemm& gemm, const T* first, std::int64_t count,
                                           int first_output)
      : dy(first + first_output),
        turn(kTileK * gemm.out_channels),
        out_channels(gemm.out_channels),
        left(count),
        outputs(gemm.outputs - first_output) {}
  __device__ __forceinline__ void prepare() {}
  __device__ __forceinline__ void load() {
#pragma unroll
    for (int pass = 0; pass < fragment.kPasses; ++pass) {
      const int k = fragment.k(pass);
      const int output = fragment.row(pass);
      const bool inside = fragment.holds(pass) && k < left && output < outputs;
      fragment.vector[pass] = load_if<kV>(inside, dy + (k * out_channels + output));
    }
    dy += turn;
    left -= kTileK;
  }
  __device__ __forceinline__ void store(float (&to)[kTileK][Tile::kN + kTilePad]) const { fragment.store(to); }
};

/// Grid: (groups x tiles of rows x tiles of output channels, the last fastest; splits). dw [splits, w_count].
template <class Tile, class T, int kV>
__global__ void __launch_bounds__(Tile::kThreads, Tile::blocks(kV))
    conv_simt_backward_weights_kernel(const __grid_constant__ WeightsGemm gemm, unsigned row_tiles,
                                      unsigned output_tiles, const T* x, const T* dy, float* dw) {
  const int first_output = static_cast<int>(blockIdx.x % output_tiles) * Tile::kN;
  const int first_row = static_cast<int>(blockIdx.x / output_tiles % row_tiles) * Tile::kM;
  const std::int64_t group = blockIdx.x / output_tiles / row_tiles;
  const std::int64_t first_pixel = blockIdx.y * gemm.split_pixels;
  const std::int64_t pixels = min(gemm.split_pixels, gemm.pixel_count - first_pixel);
  __shared__ typename TapRows<Tile, T, kV>::Tables tables;
  TapRows<Tile, T, kV> a(gemm, x + group * gemm.taps.inner, tables, first_row, first_pixel, pixels);
  OutputColumns<Tile, T, kV> b(gemm, dy + first_pixel * gemm.out_channels + group * gemm.outputs, pixels, first_output);
  float sum[Tile::kThreadM][Tile::kThreadN] = {};
  multiply_tiles<Tile>(a, b, static_cast<int>((pixels + kTileK - 1) / kTileK), sum);

  float* to = dw + blockIdx.y * gemm.w_count + group * gemm.outputs * gemm.rows();
#pragma unroll
  for (int j = 0; j < Tile::kThreadN; ++j) {
    const int output = first_output + Tile::column(j);
#pragma unroll
    for (int i = 0; i < Tile::kThreadM; ++i) {
      const int row = first_row + Tile::row(i);
      if (output < gemm.outputs && row < gemm.rows()) to[std::int64_t{output} * gemm.rows() + row] = sum[i][j];
    }
  }
}

/// The pixels of one block, and how many blocks share the sum.
struct Splits {
  std::int64_t count = 1;
  std::int64_t pixels = 0;
};

/// So many that every multiprocessor has kThreadsWanted threads, and none with fewer than kLeastPixels.
constexpr std::int64_t kMostSplits = 512;
constexpr std::int64_t kLeastPixels = 128;
constexpr std::int64_t kThreadsWanted = 1024;

Splits choose_splits(const Stream& stream, std::int64_t pixels, std::int64_t threads) {
  const std::int64_t wanted = divide_up(stream.device().multiprocessors * kThreadsWanted, threads);
  const std::int64_t most = std::max<std::int64_t>(1, std::min(pixels / kLeastPixels, kMostSplits));
  Splits splits;
  splits.pixels = std::max<std::int64_t>(1, divide_up(divide_up(pixels, std::min(wanted, most)), kTileK)) * kTileK;
  splits.count = std::max<std::int64_t>(1, divide_up(pixels, splits.pixels));
  return splits;
}

struct Plan {
  std::int64_t row_tiles = 0;
  std::int64_t output_tiles = 0;
  Splits splits{};
};

/// body(tile, plan)
template <class Body>
void with_plan(const Stream& stream, const ConvProblem& p, const Body& body) {
  const std::int64_t rows = p.taps() * p.group_channels();
  const std::int64_t most_splits = std::min(p.out_pixels() / kLeastPixels, kMostSplits);
  with_simt_tile(stream, rows, p.group_outputs(), p.groups, most_splits, [&](auto tile) {
    using Tile = decltype(tile);
    Plan plan{divide_up(rows, Tile::kM), divide_up(p.group_outputs(), Tile::kN)};
    const std::int64_t blocks = std::max<std::int64_t>(1, plan.row_tiles * plan.output_tiles * p.groups);
    plan.splits = choose_splits(stream, p.out_pixels(), blocks * Tile::kThreads);
    body(tile, plan);
  });
}

WeightsGemm weights_gemm(const ConvProblem& p, const Splits& splits) {
  WeightsGemm gemm;
  gemm.image = {static_cast<int>(p.height), static_cast<int>(p.width), p.channels};
  gemm.taps = tap_digits(p.kernel_height, p.kernel_width, p.group_channels());
  gemm.tap_h = static_cast<int>(p.dilation.height);
  gemm.tap_w = static_cast<int>(p.dilation.width);
  gemm.pixels = {0, static_cast<int>(std::max<std::int64_t>(1, p.out_height)),
                 static_cast<int>(std::max<std::int64_t>(1, p.out_width))};
  gemm.turn = digits_of(kTileK, gemm.pixels);
  gemm.stride_h = static_cast<int>(p.stride.height);
  gemm.stride_w = static_cast<int>(p.stride.width);
  gemm.pad_top = static_cast<int>(p.padding.top);
  gemm.pad_left = static_cast<int>(p.padding.left);
  gemm.pixel_count = p.out_pixels();
  gemm.split_pixels = splits.pixels;
  gemm.out_channels = p.out_channels;
  gemm.outputs = static_cast<int>(p.group_outputs());
  gemm.w_count = p.w_count();
  return gemm;
}

}  // namespace

void conv_simt_backward_weights(const Stream& stream, DType dtype, const ConvProblem& problem, const void* x,
                                const void* dy, float* scratch, float* dw) {
  if (problem.w_count() == 0) return;
  with_plan(stream, problem, [&](auto tile, const Plan& plan) {
    using Tile = decltype(tile);
    with_float_type(dtype, [&](auto type) {
      using T = decltype(type);
      const auto* image = static_cast<const T*>(x);
      const auto* gradient = static_cast<const T*>(dy);
      const bool vectors =
          problem.group_channels() % 4 == 0 && problem.group_outputs() % 4 == 0 && aligned_to_16(image, gradient);
      const auto row_tiles = static_cast<unsigned>(plan.row_tiles);
      const auto output_tiles = static_cast<unsigned>(plan.output_tiles);
      const dim3 grid(static_cast<unsigned>(problem.groups) * row_tiles * output_tiles,
                      static_cast<unsigned>(plan.splits.count));
      launch(stream, {.kernel = "conv_simt_backward_weights", .grid = grid, .block = Tile::kThreads},
             vectors ? conv_simt_backward_weights_kernel<Tile, T, 4> : conv_simt_backward_weights_kernel<Tile, T, 1>,
             weights_gemm(problem, plan.splits), row_tiles, output_tiles, image, gradient,
             plan.splits.count > 1 ? scratch : dw);
    });
    if (plan.splits.count > 1)
      sum_partials(stream, "conv_simt_backward_weights_sum", scratch, plan.splits.count, problem.w_count(), dw);
  });
}

std::size_t conv_simt_backward_weights_scratch_bytes(const Stream& stream, const ConvProblem& problem) {
  std::int64_t floats = 0;
  with_plan(stream, problem, [&](auto, const Plan& plan) {
    if (plan.splits.count > 1) floats = plan.splits.count * problem.w_count();
  });
  return static_cast<std::size_t>(floats) * sizeof(float);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
