// dw from x and dy on tensor cores, as an implicit product: C [output channels, taps * channels] = A B, where A is dy
// transposed and B is read straight from x (device/pixel_map.cuh). bf16, or f32 rounded to tf32; summed in f32.
//
// K runs over all output pixels, and C is small: K is cut into ranges by a fixed rule, each range's blocks store
// partial sums of their own, and split_k.cu or partial_sums.cu adds them in a fixed order. No atomics. Both factors
// have K across their rows in memory, so both go through ldmatrix.trans (tf32: word by word). A thread's chunks keep
// their channels and taps, and move on by a row of pixels each depth. blockIdx.x is the tile, .y the range, .z the
// group.
//
// Registers by nvcc 13.0, bf16: 234 on sm_90 and 230 on sm_80 at 128 x 128, 148 and 150 at 128 x 64, 102 at 64 x 64;
// tf32 at most 218, 150 and 110; no spills.
// Bound: arithmetic, 2 * pixels * taps * channels * outputs FLOPs.

#include "cuda/kernels/conv_mma.h"
#include "cuda/kernels/conv_mma_plan.h"
#include "cuda/kernels/device/conv_loader.cuh"
#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/matrix_loader.cuh"
#include "cuda/kernels/device/mma_epilogue.cuh"
#include "cuda/kernels/partial_sums.h"
#include "cuda/kernels/split_k.h"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kMaxSplits = 256;
constexpr int kManySplits = 8;  ///< more are added by several warps each

template <class T>
struct BackwardWeightsParameters {
  const T* x;   // [N, H, W, C]
  const T* dy;  // [N, OH, OW, O]
  PixelMap map;
  ProductOutput output;  ///< [outputs of a group, taps * channels], of f32
  int pixels;
  int depths;  ///< tiles of depth in a range
  int group_channels;
  int out_channels;
};

template <class Config, class T>
__global__ void __launch_bounds__(Config::kThreads, Config::kBlocks)
    conv_mma_backward_weights_kernel(BackwardWeightsParameters<T> p) {
  auto* shared = dynamic_shared<unsigned char>();
  const auto group = static_cast<int>(blockIdx.z);
  const int outputs = p.output.rows;
  const int columns = p.output.columns;
  const TileOfC tile = tile_of_block(static_cast<int>(blockIdx.x), (outputs + Config::kBlockM - 1) / Config::kBlockM,
                                     (columns + Config::kBlockN - 1) / Config::kBlockN);
  const int first_row = tile.row * Config::kBlockM;
  const int first_column = tile.column * Config::kBlockN;
  const DepthRange range = depth_range<Config::kDepth>(static_cast<int>(blockIdx.y), p.depths, p.pixels);
  MatrixLoader<T, Config::kBlockM, Major::mn, Config::kThreads> load_dy(
      MatrixOperand<T>{p.dy + group * outputs, p.out_channels, outputs}, first_row, range.begin, range.end);
  PixelDepthLoader<T, Config::kBlockN, Config::kThreads> load_x(p.map, p.x + group * p.group_channels, first_column,
                                                                columns / kChunkElements<T>, range.begin, range.end);
  typename Config::Product product;
  mma_mainloop<Config>(load_dy, load_x, range.tiles, shared, product);
  const std::int64_t first = std::int64_t{blockIdx.y} * p.out_channels + group * outputs;
  store_product<Config>(product, shared, p.output, first_row, first_column,
                        [&](int row) { return (first + row) * columns; });
}

template <class T>
TilePlan plan_of(const Device& device, const ConvProblem& problem) {
  return plan_tiles(kConvMmaTiles,
                    {.m = problem.group_outputs(),
                     .n = problem.taps() * problem.group_channels(),
                     .batch = problem.groups,
                     .depths = divide_up(problem.out_pixels(), kRowElements<T>),
                     .depth_elements = kRowElements<T>,
                     .max_splits = kMaxSplits},
                    device);
}

}  // namespace

bool conv_mma_backward_weights_supports(const ConvProblem& problem, DType dtype) {
  return !problem.empty() && problem.group_channels() % chunk_elements(dtype) == 0 &&
         problem.group_outputs() % chunk_elements(dtype) == 0 && conv_mma_extents_fit(problem, chunk_elements(dtype));
}

std::size_t conv_mma_backward_weights_scratch_bytes(const Device& device, DType dtype, const ConvProblem& problem) {
  std::size_t bytes = 0;
  with_float_type(dtype, [&](auto type) {
    const int splits = plan_of<decltype(type)>(device, problem).splits;
    if (splits > 1) bytes = static_cast<std::size_t>(splits * problem.w_count()) * sizeof(float);
  });
  return bytes;
}

void conv_mma_backward_weights(const Stream& stream, DType dtype, const ConvProblem& problem, const void* x,
                               const void* dy, float* scratch, float* dw) {
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    const TilePlan plan = plan_of<T>(stream.device(), problem);
    const std::int64_t columns = problem.taps() * problem.group_channels();
    float* sums = plan.splits > 1 ? scratch : dw;
    const BackwardWeightsParameters<T> p{.x = static_cast<const T*>(x),
                                         .dy = static_cast<const T*>(dy),
                                         .map = input_map(problem, chunk_elements(dtype)),
                                         .output = {.data = sums,
                                                    .bias = nullptr,
                                                    .rows = static_cast<int>(problem.group_outputs()),
                                                    .columns = static_cast<int>(columns),
                                                    .relu = false,
                                                    .f32 = true,
                                                    .vectors = columns % 4 == 0 && aligned_to_16(sums)},
                                         .pixels = static_cast<int>(problem.out_pixels()),
                                         .depths = plan.depths_a_split,
                                         .group_channels = static_cast<int>(problem.group_channels()),
                                         .out_channels = static_cast<int>(problem.out_channels)};
    with_mma_config<T>(plan, [&]<class Config>(Config) {
      launch(stream,
             {.kernel = "conv_mma_backward_weights",
              .grid = {static_cast<unsigned>(plan.rows(problem.group_outputs()) * plan.columns(columns)),
                       static_cast<unsigned>(plan.splits), static_cast<unsigned>(problem.groups)},
              .block = Config::kThreads,
              .shared_bytes = Config::kSharedBytes},
             conv_mma_backward_weights_kernel<Config, T>, p);
    });
    if (plan.splits > kManySplits)
      sum_partials(stream, "conv_mma_backward_weights_sum", scratch, plan.splits, problem.w_count(), dw);
    else if (plan.splits > 1)
      sum_splits(stream, {.splits = plan.splits, .count = problem.w_count(), .columns = 1}, scratch, nullptr, dw);
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
