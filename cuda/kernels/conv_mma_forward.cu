// y = conv(x, w) [+ bias] [+ residual] [then ReLU] on tensor cores, as an implicit product: C [output pixels, output
// channels] = A [output pixels, taps * channels] B, where A is read straight from x (device/pixel_map.cuh) and B's
// columns are the rows of w. bf16, or f32 rounded to tf32; summed in f32.
//
// A block of four warps computes 128 x 128 of C (128 x 64 or 64 x 64 where that fills the device better), a row of 128
// bytes of channels deep at a time, by the same main loop as the matrix product (device/mma_mainloop.cuh). A thread
// copies one chunk of 16 bytes of each of eight pixels; it keeps their places in registers and computes one tap's step
// for all of them. Pixels outside of the image are zeros that cp.async fills in. Channels that are no whole chunks, as
// a network's first three, go element by element through registers, in a kernel of 128 x 64. blockIdx.x is the tile, .z
// the group.
//
// Registers by nvcc 13.0, bf16: 239 on sm_90 and 247 on sm_80 at 128 x 128, 160 and 166 at 128 x 64, 114 at 64 x 64:
// two, three and four blocks a multiprocessor; fewer for tf32; 168 where elements are read; no spills. The main loop is
// 321 instructions a depth on sm_90, of which 128 are HMMA.
// Bound: arithmetic at 3x3 and wide 1x1, 2 * pixels * taps * channels * outputs FLOPs; memory at narrow 1x1, x + y
// bytes.

#include "cuda/kernels/conv_mma.h"

#include <span>

#include "cuda/kernels/conv_mma_plan.h"
#include "cuda/kernels/device/conv_loader.cuh"
#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/matrix_loader.cuh"
#include "cuda/kernels/device/mma_epilogue.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

template <class T>
struct ForwardParameters {
  const T* x;  // [N, H, W, C]
  const T* w;  // [O, KH, KW, C / groups]
  PixelMap map;
  ProductOutput output;
  const T* residual;  // as y, or null
  int group_channels;
  int depth;         ///< taps * group_channels
  int out_channels;  ///< of all groups
};

/// The loaders of x and w, where channels are whole chunks of 16 bytes, and elsewhere.
template <class Config, bool Chunks, class T = typename Config::Element>
struct ForwardLoaders {
  using X = PixelRowLoader<T, Config::kBlockM, Config::kThreads>;
  using W = MatrixLoader<T, Config::kBlockN, Major::k, Config::kThreads>;
  static constexpr int kUnit = kChunkElements<T>;
  static __device__ __forceinline__ MatrixOperand<T> weights(const T* w, int outputs, int depth) {
    return {w, depth, outputs};
  }
};
template <class Config, class T>
struct ForwardLoaders<Config, false, T> {
  using X = PixelElementLoader<T, Config::kBlockM, Config::kThreads>;
  using W = StridedLoader<T, Config::kBlockN, Config::kThreads>;
  static constexpr int kUnit = 1;
  static __device__ __forceinline__ StridedOperand<T> weights(const T* w, int outputs, int depth) {
    return {w, depth, 1, outputs};
  }
};

template <class Config, bool Chunks, class T>
__global__ void __launch_bounds__(Config::kThreads, Config::kBlocks) conv_mma_forward_kernel(ForwardParameters<T> p) {
  using Loaders = ForwardLoaders<Config, Chunks>;
  auto* shared = dynamic_shared<unsigned char>();
  const auto group = static_cast<int>(blockIdx.z);
  const int outputs = p.output.columns;
  const TileOfC tile =
      tile_of_block(static_cast<int>(blockIdx.x), (p.output.rows + Config::kBlockM - 1) / Config::kBlockM,
                    (outputs + Config::kBlockN - 1) / Config::kBlockN);
  const int first_row = tile.row * Config::kBlockM;
  const int first_column = tile.column * Config::kBlockN;
  typename Loaders::X load_x(p.map, p.x + group * p.group_channels, first_row, p.output.rows, p.depth / Loaders::kUnit);
  typename Loaders::W load_w(Loaders::weights(p.w + std::int64_t{group} * outputs * p.depth, outputs, p.depth),
                             first_column, 0, p.depth);
  typename Config::Product product;
  mma_mainloop<Config>(load_x, load_w, (p.depth + Config::kDepth - 1) / Config::kDepth, shared, product);
  ProductOutput output = p.output;
  if (output.bias != nullptr) output.bias += group * outputs;
  store_product<Config>(
      product, shared, output, first_row, first_column,
      [&](int row) { return std::int64_t{row} * p.out_channels + group * outputs; }, p.residual);
}

bool whole_chunks(const ConvProblem& problem, DType dtype) {
  return problem.group_channels() % chunk_elements(dtype) == 0;
}

}  // namespace

bool conv_mma_forward_supports(const ConvProblem& problem, DType dtype) {
  constexpr std::int64_t kLeastDepth = 32;  // shallower ones fill less than half of a bf16 tile's depth
  if (problem.empty()) return false;
  if (whole_chunks(problem, dtype)) return conv_mma_extents_fit(problem, chunk_elements(dtype));
  return problem.taps() * problem.group_channels() >= kLeastDepth && conv_mma_extents_fit(problem, 1);
}

void conv_mma_forward(const Stream& stream, DType dtype, const ConvProblem& problem, const void* x, const void* w,
                      const ConvEpilogue& epilogue, void* y) {
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    const std::int64_t depth = problem.taps() * problem.group_channels();
    const std::int64_t outputs = problem.group_outputs();
    const bool chunks = whole_chunks(problem, dtype);
    const std::span<const TileShape> tiles(kConvMmaTiles);
    const TilePlan plan = plan_tiles(chunks ? tiles : tiles.subspan(1, 1),
                                     {.m = problem.out_pixels(),
                                      .n = outputs,
                                      .batch = problem.groups,
                                      .depths = divide_up(depth, kRowElements<T>),
                                      .depth_elements = kRowElements<T>,
                                      .max_splits = 1},
                                     stream.device());
    const ForwardParameters<T> p{
        .x = static_cast<const T*>(x),
        .w = static_cast<const T*>(w),
        .map = input_map(problem, chunks ? chunk_elements(dtype) : 1),
        .output = {.data = y,
                   .bias = epilogue.bias,
                   .rows = static_cast<int>(problem.out_pixels()),
                   .columns = static_cast<int>(outputs),
                   .relu = epilogue.relu,
                   .f32 = dtype == DType::f32,
                   .vectors = outputs % kVectorElements<T> == 0 && aligned_to_16(y, epilogue.residual)},
        .residual = static_cast<const T*>(epilogue.residual),
        .group_channels = static_cast<int>(problem.group_channels()),
        .depth = static_cast<int>(depth),
        .out_channels = static_cast<int>(problem.out_channels)};
    const auto launch_forward = [&]<class Config>(Config, auto* kernel) {
      launch(stream,
             {.kernel = "conv_mma_forward",
              .grid = {static_cast<unsigned>(plan.rows(problem.out_pixels()) * plan.columns(outputs)), 1,
                       static_cast<unsigned>(problem.groups)},
              .block = Config::kThreads,
              .shared_bytes = Config::kSharedBytes},
             kernel, p);
    };
    if (!chunks) return launch_forward(Mma128x64<T>{}, conv_mma_forward_kernel<Mma128x64<T>, false, T>);
    with_mma_config<T>(
        plan, [&]<class Config>(Config config) { launch_forward(config, conv_mma_forward_kernel<Config, true, T>); });
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
