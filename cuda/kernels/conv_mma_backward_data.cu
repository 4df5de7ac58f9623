// dx from dy and w on tensor cores, as an implicit product: C [input pixels, input channels] = A [input pixels, taps *
// output channels] B, where A is read straight from dy (device/pixel_map.cuh) and B from w. bf16, or f32 rounded to
// tf32; summed in f32.
//
// With a stride, an input pixel meets only the taps of its own residue class: those with (pixel + padding - tap *
// dilation) divisible by the stride. Pixels of one class along each axis form a grid of their own, and for them the
// gradient is a convolution of stride 1 over dy with every tap-th tap, so that no product with an inserted zero is ever
// computed. All classes run in one launch; a class without taps stores zeros. blockIdx.x is the tile, .z the class and
// the group. Threads and main loop as in conv_mma_forward.cu; rows of w run along N, so B goes through ldmatrix.trans.
// Registers by nvcc 13.0, bf16: 234 on sm_90 and 246 on sm_80 at 128 x 128, 159 and 160 at 128 x 64, 106 at 64 x 64;
// tf32 at most 222, 162 and 111; no spills.
// Bound: as forward's.

#include "cuda/kernels/conv_mma.h"
#include "cuda/kernels/conv_mma_plan.h"
#include "cuda/kernels/device/conv_loader.cuh"
#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/mma_epilogue.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kMaxStride = 4;

/// The pixels first, first + stride, ... of one axis of dx, and what meets them.
struct ResidueClass {
  PixelAxis axis;  ///< of dy, over the class's grid
  TapRange taps;
  int tap_count = 0;
  int pixels = 0;
  int first = 0;
};

template <class T>
struct BackwardDataParameters {
  const T* dy;  // [N, OH, OW, O]
  ResidueClass h[kMaxStride];
  ResidueClass w[kMaxStride];
  ConvWeights<T> weights;  // [O, KH, KW, C / groups], of the first group
  ProductOutput output;    ///< columns: channels of a group; rows come from the class
  FastDivisor tap_units;
  int pixel_units;
  int images;
  int height;
  int width;
  int stride_h;
  int stride_w;
  int group_outputs;
  int channels;  ///< of all groups
};

template <class Config, class T>
__global__ void __launch_bounds__(Config::kThreads, Config::kBlocks)
    conv_mma_backward_data_kernel(BackwardDataParameters<T> p) {
  using LoaderA = PixelRowLoader<T, Config::kBlockM, Config::kThreads>;
  using LoaderB = WeightDepthLoader<T, Config::kBlockN, Config::kThreads>;
  auto* shared = dynamic_shared<unsigned char>();
  const int classes = p.stride_h * p.stride_w;
  const auto group = static_cast<int>(blockIdx.z) / classes;
  const int residue = static_cast<int>(blockIdx.z) % classes;
  const ResidueClass& h = p.h[residue / p.stride_w];
  const ResidueClass& w = p.w[residue % p.stride_w];
  const int rows = p.images * h.pixels * w.pixels;
  const int tiles_m = (rows + Config::kBlockM - 1) / Config::kBlockM;
  const int tiles_n = (p.output.columns + Config::kBlockN - 1) / Config::kBlockN;
  if (static_cast<int>(blockIdx.x) >= tiles_m * tiles_n) return;  // a smaller class than the launch was made for
  const TileOfC tile = tile_of_block(static_cast<int>(blockIdx.x), tiles_m, tiles_n);
  const int first_row = tile.row * Config::kBlockM;
  const int first_column = tile.column * Config::kBlockN;
  const PixelMap map{h.axis, w.axis, p.tap_units, p.pixel_units};
  const int depth = h.tap_count * w.tap_count * p.group_outputs;
  ConvWeights<T> weights = p.weights;
  weights.data += std::int64_t{group} * p.group_outputs * weights.taps * p.output.columns;
  LoaderA load_dy(map, p.dy + group * p.group_outputs, first_row, rows, depth / kChunkElements<T>);
  LoaderB load_w(weights, map, h.taps, w.taps, first_column, depth);
  typename Config::Product product;
  mma_mainloop<Config>(load_dy, load_w, (depth + Config::kDepth - 1) / Config::kDepth, shared, product);
  ProductOutput output = p.output;
  output.rows = rows;
  store_product<Config>(product, shared, output, first_row, first_column, [&](int row) {
    const int line = map.w.grid.quotient(row);
    const int image = map.h.grid.quotient(line);
    const int y = map.h.grid.remainder(line, image) * p.stride_h + h.first;
    const int x = map.w.grid.remainder(row, line) * p.stride_w + w.first;
    const std::int64_t pixel = (std::int64_t{image} * p.height + y) * p.width + x;
    return pixel * p.channels + group * output.columns;
  });
}

/// One axis of the pixels that are `residue` modulo the stride.
ResidueClass residue_class(std::int64_t residue, std::int64_t pixels, std::int64_t taps, std::int64_t stride,
                           std::int64_t dilation, std::int64_t before, std::int64_t out) {
  ResidueClass result;
  result.first = static_cast<int>(residue);
  result.pixels = static_cast<int>(divide_up(std::max<std::int64_t>(pixels - residue, 0), stride));
  result.axis.grid = FastDivisor(std::max(result.pixels, 1));
  result.axis.image = static_cast<int>(out);
  result.axis.stride = 1;
  std::int64_t first = -1;
  std::int64_t interval = 0;
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    if ((residue + before - tap * dilation) % stride != 0) continue;
    if (first < 0) {
      first = tap;
    } else if (interval == 0) {
      interval = tap - first;
    }
    ++result.tap_count;
  }
  result.axis.taps = FastDivisor(std::max(result.tap_count, 1));
  if (first < 0) return result;
  result.taps = {static_cast<int>(first), static_cast<int>(interval)};
  result.axis.origin = static_cast<int>((residue + before - first * dilation) / stride);
  result.axis.tap_step = static_cast<int>(-interval * dilation / stride);
  return result;
}

}  // namespace

bool conv_mma_backward_data_supports(const ConvProblem& problem, DType dtype) {
  return !problem.empty() && problem.group_channels() % chunk_elements(dtype) == 0 &&
         problem.group_outputs() % chunk_elements(dtype) == 0 && problem.stride.height <= kMaxStride &&
         problem.stride.width <= kMaxStride && conv_mma_extents_fit(problem, chunk_elements(dtype));
}

void conv_mma_backward_data(const Stream& stream, DType dtype, const ConvProblem& problem, const void* dy,
                            const void* w, void* dx) {
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    const std::int64_t channels = problem.group_channels();
    const std::int64_t classes = problem.stride.height * problem.stride.width;
    const std::int64_t rows = problem.batch * divide_up(problem.height, problem.stride.height) *
                              divide_up(problem.width, problem.stride.width);
    const std::int64_t depth = divide_up(problem.taps(), classes) * problem.group_outputs();
    const TilePlan plan = plan_tiles(kConvMmaTiles,
                                     {.m = rows,
                                      .n = channels,
                                      .batch = problem.groups * classes,
                                      .depths = divide_up(depth, kRowElements<T>),
                                      .depth_elements = kRowElements<T>,
                                      .max_splits = 1},
                                     stream.device());
    BackwardDataParameters<T> p{.dy = static_cast<const T*>(dy),
                                .h = {},
                                .w = {},
                                .weights = {.data = static_cast<const T*>(w),
                                            .outputs = FastDivisor(problem.group_outputs()),
                                            .kernel_width = static_cast<int>(problem.kernel_width),
                                            .taps = static_cast<int>(problem.taps()),
                                            .channel_chunks = static_cast<int>(channels / kChunkElements<T>)},
                                .output = {.data = dx,
                                           .bias = nullptr,
                                           .rows = 0,
                                           .columns = static_cast<int>(channels),
                                           .relu = false,
                                           .f32 = dtype == DType::f32,
                                           .vectors = aligned_to_16(dx)},
                                .tap_units = FastDivisor(problem.group_outputs() / kChunkElements<T>),
                                .pixel_units = static_cast<int>(problem.out_channels / kChunkElements<T>),
                                .images = static_cast<int>(problem.batch),
                                .height = static_cast<int>(problem.height),
                                .width = static_cast<int>(problem.width),
                                .stride_h = static_cast<int>(problem.stride.height),
                                .stride_w = static_cast<int>(problem.stride.width),
                                .group_outputs = static_cast<int>(problem.group_outputs()),
                                .channels = static_cast<int>(problem.channels)};
    for (int residue = 0; residue < p.stride_h; ++residue)
      p.h[residue] = residue_class(residue, problem.height, problem.kernel_height, problem.stride.height,
                                   problem.dilation.height, problem.padding.top, problem.out_height);
    for (int residue = 0; residue < p.stride_w; ++residue)
      p.w[residue] = residue_class(residue, problem.width, problem.kernel_width, problem.stride.width,
                                   problem.dilation.width, problem.padding.left, problem.out_width);
    with_mma_config<T>(plan, [&]<class Config>(Config) {
      launch(stream,
             {.kernel = "conv_mma_backward_data",
              .grid = {static_cast<unsigned>(plan.rows(rows) * plan.columns(channels)), 1,
                       static_cast<unsigned>(problem.groups * classes)},
              .block = Config::kThreads,
              .shared_bytes = Config::kSharedBytes},
             conv_mma_backward_data_kernel<Config, T>, p);
    });
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
