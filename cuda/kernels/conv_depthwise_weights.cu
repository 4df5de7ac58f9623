// Depthwise convolution, backward weights, in f32 over f32 or bf16:
// dw[o][tap] = sum over pixels of y of dy[pixel][o] * x[pixel moved by the tap][o / multiplier].
//
// Threads: device/depthwise.cuh; a thread adds kTaps taps for its channels (4 where the multiplier is 1 and channels
// and addresses allow, one elsewhere) over its pixels, so that dy is read once for a kernel of 3 x 3. A block takes
// a share of the pixels and adds its threads' sums in shared memory, tap by tap, in the order of the threads; it
// leaves its part in scratch, and a second kernel adds the parts.
// Bound: memory; (x_count + y_count) * size bytes.
// Registers (nvcc 13, sm_90): 128 with vectors, 80 without; no spills.

#include "cuda/kernels/conv_depthwise.h"
#include "cuda/kernels/device/depthwise.cuh"
#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/partial_sums.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kTaps = 9;

/// Grid: (tiles of output channels; shares of the pixels; groups of kTaps taps). partial [shares, out_channels, taps].
template <class T, int kV, class Index>
__global__ void __launch_bounds__(kBlockThreads)
    conv_depthwise_weights_kernel(const __grid_constant__ DepthwiseShape shape, PixelIndex<Index> pixel_index,
                                  std::int64_t share,
                                  const T* x,   // [images, height, width, channels]
                                  const T* dy,  // [images, out_height, out_width, out_channels]
                                  float* partial) {
  __shared__ Displacement taps[kTaps];
  __shared__ float sums[kBlockThreads * kV];
  const int first_tap = static_cast<int>(blockIdx.z) * kTaps;
  if (threadIdx.x < kTaps) {
    const int tap = first_tap + static_cast<int>(threadIdx.x);
    taps[threadIdx.x] = tap < shape.taps() ? shape.tap(tap) : Displacement{0, kOutside, 0};
  }
  __syncthreads();
  const int columns = shape.lanes * kV;
  const std::int64_t tile = std::int64_t{blockIdx.x} * columns;
  const std::int64_t output = tile + shape.lane() * kV;
  const std::int64_t channel = kV > 1 ? output : output / shape.multiplier;
  const std::int64_t begin = blockIdx.y * share;
  const std::int64_t pixels = shape.images * shape.out_height * shape.out_width;
  const std::int64_t end = output < shape.out_channels ? min(begin + share, pixels) : begin;
  const int pixel_lanes = kBlockThreads / shape.lanes;
  float sum[kTaps][kV] = {};
  for (std::int64_t number = begin + shape.pixel_lane(); number < end; number += pixel_lanes) {
    const Pixel pixel = pixel_index(number);
    const int h = pixel.h * shape.stride_h - shape.pad_top;
    const int w = pixel.w * shape.stride_w - shape.pad_left;
    const Displacement at{shape.x.offset(pixel.image, h, w) + channel, h, w};
    const Vector<T, kV> gradient = load_vector<kV>(dy + number * shape.out_channels + output);
#pragma unroll
    for (int tap = 0; tap < kTaps; ++tap) {
      const Vector<T, kV> values = shape.x.load<kV>(x, at, taps[tap]);
#pragma unroll
      for (int v = 0; v < kV; ++v)
        sum[tap][v] = fmaf(to_float(gradient.element[v]), to_float(values.element[v]), sum[tap][v]);
    }
  }
#pragma unroll
  for (int tap = 0; tap < kTaps; ++tap) {
#pragma unroll
    for (int v = 0; v < kV; ++v) sums[shape.pixel_lane() * columns + shape.lane() * kV + v] = sum[tap][v];
    __syncthreads();
    const int column = static_cast<int>(threadIdx.x);
    if (column < columns && tile + column < shape.out_channels && first_tap + tap < shape.taps()) {
      float total = 0.0f;
      for (int lane = 0; lane < pixel_lanes; ++lane) total += sums[lane * columns + column];
      partial[(blockIdx.y * shape.out_channels + tile + column) * shape.taps() + first_tap + tap] = total;
    }
    __syncthreads();
  }
}

struct Plan {
  DepthwiseShape shape;
  int vector = 1;
  dim3 grid{};
  std::int64_t share = 0;  ///< pixels of a block
};

/// Shares are chosen for vectors whether or not the addresses allow them: scratch is asked for by shape alone.
Plan plan_of(const Stream& stream, const ConvProblem& p) {
  constexpr std::int64_t kMostShares = 256;
  constexpr std::int64_t kLeastPixels = 8;  // of a thread
  Plan plan{.shape = DepthwiseShape(p)};
  plan.vector = p.group_outputs() == 1 && p.channels % 4 == 0 ? 4 : 1;
  plan.shape.lanes = depthwise_lanes(divide_up(p.out_channels, plan.vector), kWarpThreads);
  const std::int64_t tiles = divide_up(p.out_channels, std::int64_t{plan.shape.lanes} * plan.vector);
  const std::int64_t tap_groups = divide_up(p.taps(), kTaps);
  const std::int64_t blocks = std::int64_t{stream.device().multiprocessors} * 8;
  const std::int64_t wanted = std::min(kMostShares, divide_up(blocks, std::max<std::int64_t>(1, tiles * tap_groups)));
  plan.share = std::max(kLeastPixels * kBlockThreads / plan.shape.lanes, divide_up(p.out_pixels(), wanted));
  plan.grid = {static_cast<unsigned>(tiles),
               static_cast<unsigned>(std::max<std::int64_t>(1, divide_up(p.out_pixels(), plan.share))),
               static_cast<unsigned>(tap_groups)};
  return plan;
}

}  // namespace

void conv_depthwise_backward_weights(const Stream& stream, DType dtype, const ConvProblem& p, const void* x,
                                     const void* dy, float* scratch, float* dw) {
  Plan plan = plan_of(stream, p);
  const bool vectors = plan.vector == 4 && aligned_to_16(x, dy);
  if (plan.vector == 4 && !vectors) plan.grid.x *= 4;
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    with_index_type(p.out_pixels(), [&](auto index) {
      using Index = decltype(index);
      launch(stream, {.kernel = "conv_depthwise_weights", .grid = plan.grid, .block = kBlockThreads},
             vectors ? conv_depthwise_weights_kernel<T, 4, Index> : conv_depthwise_weights_kernel<T, 1, Index>,
             plan.shape, PixelIndex<Index>(p.out_height, p.out_width), plan.share, static_cast<const T*>(x),
             static_cast<const T*>(dy), plan.grid.y > 1 ? scratch : dw);
    });
  });
  if (plan.grid.y > 1) sum_partials(stream, "conv_depthwise_weights_sum", scratch, plan.grid.y, p.w_count(), dw);
}

std::size_t conv_depthwise_backward_weights_scratch_bytes(const Stream& stream, const ConvProblem& p) {
  const Plan plan = plan_of(stream, p);
  return plan.grid.y > 1 ? static_cast<std::size_t>(plan.grid.y * p.w_count()) * sizeof(float) : 0;
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
