// Depthwise convolution, forward and backward data, in f32 over f32 or bf16:
// y[pixel][o] = sum over taps of x[pixel moved by the tap][o / multiplier] * w[o][tap],
// [+ bias[o]] [+ residual[pixel][o]] [then ReLU];
// dx[pixel][c] = sum over the taps that lead here and over the outputs o of c of dy[that pixel][o] * w[o][tap].
//
// Threads: device/depthwise.cuh; a thread computes a vector of channels of one pixel at a time, 16 bytes of them
// where the multiplier is 1 and channels and addresses allow, one elsewhere. The block's weights wait in shared
// memory in f32, taps outermost, so that a warp reads neighbouring words. Neighbouring pixels read the same rows of
// x from the L1 cache.
// Bound: memory; (x_count + y_count) * size bytes.
// Registers: at most 80 a thread with vectors, 64 without, three and four blocks a multiprocessor.

#include "cuda/kernels/conv_depthwise.h"

#include <numeric>

#include "cuda/kernels/device/depthwise.cuh"
#include "cuda/kernels/device/dispatch.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr std::int64_t kSharedBytes = 48 << 10;

/// Dynamic shared memory: taps, then weights [taps, columns], columns = lanes * kV * multiplier of the block's outputs.
struct SharedKernel {
  Displacement* taps;
  float* weights;
  int columns;
};

std::int64_t shared_bytes(std::int64_t taps, std::int64_t columns) {
  return taps * (static_cast<std::int64_t>(sizeof(Displacement)) + columns * static_cast<std::int64_t>(sizeof(float)));
}

/// kV neighbouring weights of one tap, 16 bytes at a time where there are so many.
template <int kV>
struct Weights {
  static constexpr int kQuad = kV < 4 ? kV : 4;
  Vector<float, kQuad> quad[kV / kQuad];
  __device__ __forceinline__ explicit Weights(const float* address) {
#pragma unroll
    for (int v = 0; v < kV; v += kQuad) quad[v / kQuad] = load_vector<kQuad>(address + v);
  }
  __device__ __forceinline__ float operator[](int v) const { return quad[v / kQuad].element[v % kQuad]; }
};

/// Outputs first_output, first_output + 1, ... of w [out_channels, taps]. Ends in a barrier.
template <class T>
__device__ __forceinline__ SharedKernel load_kernel(const DepthwiseShape& shape, const T* w, std::int64_t first_output,
                                                    int columns) {
  auto* taps = dynamic_shared<Displacement>();
  auto* weights = reinterpret_cast<float*>(taps + shape.taps());
  const int thread = static_cast<int>(threadIdx.x);
  for (int i = thread; i < shape.taps(); i += kBlockThreads) taps[i] = shape.tap(i);
  for (int i = thread; i < shape.taps() * columns; i += kBlockThreads) {
    const std::int64_t output = first_output + i % columns;
    weights[i] = output < shape.out_channels ? to_float(w[output * shape.taps() + i / columns]) : 0.0f;
  }
  __syncthreads();
  return {taps, weights, columns};
}

/// Grid: (blocks over the pixels of y; tiles of output channels).
template <class T, int kV, class Index>
__global__ void __launch_bounds__(kBlockThreads, kV > 1 ? 3 : 4)
    conv_depthwise_forward_kernel(const __grid_constant__ DepthwiseShape shape, PixelIndex<Index> pixel_index,
                                  const T* x,         // [images, height, width, channels]
                                  const T* w,         // [out_channels, taps]
                                  const float* bias,  // [out_channels] or null
                                  const T* residual,  // as y, or null; may be y
                                  bool relu,
                                  T* y) {  // [images, out_height, out_width, out_channels]
  const int columns = shape.lanes * kV;
  const std::int64_t tile = std::int64_t{blockIdx.y} * columns;
  const SharedKernel kernel = load_kernel(shape, w, tile, columns);
  const int column = shape.lane() * kV;
  const std::int64_t output = tile + column;
  if (output >= shape.out_channels) return;
  const std::int64_t channel = kV > 1 ? output : output / shape.multiplier;
  const std::int64_t pixels = shape.images * shape.out_height * shape.out_width;
  const std::int64_t step = std::int64_t{gridDim.x} * (kBlockThreads / shape.lanes);
  Vector<float, 4> shift[(kV + 3) / 4] = {};
  if (bias != nullptr) {
#pragma unroll
    for (int v = 0; v < kV; ++v) shift[v / 4].element[v % 4] = bias[output + v];
  }
  for (std::int64_t number = shape.first_pixel(blockIdx.x); number < pixels; number += step) {
    const Pixel pixel = pixel_index(number);
    const int h = pixel.h * shape.stride_h - shape.pad_top;
    const int w0 = pixel.w * shape.stride_w - shape.pad_left;
    const Displacement at{shape.x.offset(pixel.image, h, w0) + channel, h, w0};
    float sum[kV] = {};
    for (int tap = 0; tap < shape.taps(); ++tap) {
      const Vector<T, kV> values = shape.x.load<kV>(x, at, kernel.taps[tap]);
      const Weights<kV> weights(kernel.weights + tap * kernel.columns + column);
#pragma unroll
      for (int v = 0; v < kV; ++v) sum[v] = fmaf(to_float(values.element[v]), weights[v], sum[v]);
    }
    const std::int64_t element = number * shape.out_channels + output;
    Vector<T, kV> result{};
    if (residual != nullptr) result = load_vector<kV>(residual + element);
#pragma unroll
    for (int v = 0; v < kV; ++v) {
      const float value = sum[v] + shift[v / 4].element[v % 4] + to_float(result.element[v]);
      result.element[v] = from_float<T>(relu && value < 0.0f ? 0.0f : value);
    }
    store_vector(y + element, result);
  }
}

/// Along one axis: the kernel's positions that lead from dy to one position of dx.
struct TapsBack {
  int first;     ///< kernel position
  int step;      ///< to the next one
  int position;  ///< in dy of the first one
  int move;      ///< in dy, backwards, to the next one
};
__device__ __forceinline__ TapsBack taps_back(int position, int kernel, int stride, int dilation, int step, int move) {
  if (stride == 1) return {0, 1, position, dilation};
  int first = 0;
  while (first < kernel && first < step && (position - first * dilation) % stride != 0) ++first;
  if (first == step) first = kernel;
  return {first, step, (position - first * dilation) / stride, move};
}

/// Steps of TapsBack, of height and width: the same for all positions.
struct BackSteps {
  int step_h, move_h, step_w, move_w;
};

/// Grid: (blocks over the pixels of dx; tiles of input channels).
template <class T, int kV, class Index>
__global__ void __launch_bounds__(kBlockThreads, kV > 1 ? 3 : 4)
    conv_depthwise_backward_data_kernel(const __grid_constant__ DepthwiseShape shape, PixelIndex<Index> pixel_index,
                                        BackSteps steps,
                                        const T* dy,  // [images, out_height, out_width, out_channels]
                                        const T* w,   // [out_channels, taps]
                                        T* dx) {      // [images, height, width, channels]
  const int columns = shape.lanes * kV * shape.multiplier;
  const std::int64_t tile = std::int64_t{blockIdx.y} * shape.lanes * kV;
  const SharedKernel kernel = load_kernel(shape, w, tile * shape.multiplier, columns);
  const std::int64_t channel = tile + shape.lane() * kV;
  if (channel >= shape.x.channels) return;
  const int column = shape.lane() * kV * shape.multiplier;
  const GatheredImage image{shape.out_height, shape.out_width, shape.out_channels};
  const std::int64_t pixels = shape.images * shape.x.height * shape.x.width;
  const std::int64_t step = std::int64_t{gridDim.x} * (kBlockThreads / shape.lanes);
  for (std::int64_t number = shape.first_pixel(blockIdx.x); number < pixels; number += step) {
    const Pixel pixel = pixel_index(number);
    const TapsBack h = taps_back(pixel.h + shape.pad_top, shape.kernel_height, shape.stride_h, shape.dilation_h,
                                 steps.step_h, steps.move_h);
    const TapsBack v = taps_back(pixel.w + shape.pad_left, shape.kernel_width, shape.stride_w, shape.dilation_w,
                                 steps.step_w, steps.move_w);
    const std::int64_t first = image.offset(pixel.image, 0, 0) + channel * shape.multiplier;
    float sum[kV] = {};
    int oh = h.position;
    for (int kh = h.first; kh < shape.kernel_height; kh += h.step, oh -= h.move) {
      int ow = v.position;
      for (int kw = v.first; kw < shape.kernel_width; kw += v.step, ow -= v.move) {
        const Displacement from{image.offset(0, oh, ow), oh, ow};
        const float* tap = kernel.weights + (kh * shape.kernel_width + kw) * kernel.columns + column;
        for (int m = 0; m < shape.multiplier; ++m) {
          const Vector<T, kV> values = image.load<kV>(dy, from, {first + m, 0, 0});
          const Weights<kV> weights(tap + m);
#pragma unroll
          for (int e = 0; e < kV; ++e) sum[e] = fmaf(to_float(values.element[e]), weights[e], sum[e]);
        }
      }
    }
    Vector<T, kV> result;
#pragma unroll
    for (int e = 0; e < kV; ++e) result.element[e] = from_float<T>(sum[e]);
    store_vector(dx + number * shape.x.channels + channel, result);
  }
}

/// body(shape with its lanes, integral_constant of elements a vector): channel vectors of 16 bytes where allowed.
template <class T, class Body>
void with_lanes(const ConvProblem& p, bool aligned, std::int64_t channels, std::int64_t columns_a_channel,
                const Body& body) {
  DepthwiseShape shape(p);
  constexpr int kVector = kVectorElements<T>;
  const auto lanes = [&](int vector) {
    int most = kWarpThreads;
    while (most > 1 && shared_bytes(p.taps(), most * vector * columns_a_channel) > kSharedBytes) most /= 2;
    return depthwise_lanes(divide_up(channels, vector), most);
  };
  if (aligned && p.group_outputs() == 1 && channels % kVector == 0 && shared_bytes(p.taps(), kVector) <= kSharedBytes) {
    shape.lanes = lanes(kVector);
    body(shape, std::integral_constant<int, kVector>{});
  } else {
    shape.lanes = lanes(1);
    body(shape, std::integral_constant<int, 1>{});
  }
}

/// Blocks over `pixels` and over tiles of `channels`: whole waves of eight blocks a multiprocessor at most, so that the
/// weights are not loaded more often than that.
dim3 depthwise_grid(const Stream& stream, std::int64_t pixels, std::int64_t channels, int lanes, int vector) {
  const std::int64_t tiles = divide_up(channels, std::int64_t{lanes} * vector);
  const std::int64_t most =
      divide_up(std::int64_t{stream.device().multiprocessors} * 32, std::max<std::int64_t>(1, tiles));
  const std::int64_t wanted = divide_up(pixels, kBlockThreads / lanes);
  return {static_cast<unsigned>(std::min(wanted, most)), static_cast<unsigned>(tiles), 1};
}

}  // namespace

bool conv_depthwise_supports(const ConvProblem& p) {
  return p.depthwise() && p.height > 0 && p.width > 0 && p.out_height > 0 && p.out_width > 0 &&
         shared_bytes(p.taps(), std::max<std::int64_t>(1, p.group_outputs())) <= kSharedBytes;
}

void conv_depthwise_forward(const Stream& stream, DType dtype, const ConvProblem& p, const void* x, const void* w,
                            const ConvEpilogue& epilogue, void* y) {
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    const bool aligned = aligned_to_16(x, y, epilogue.residual);
    with_lanes<T>(p, aligned, p.out_channels, 1, [&](const DepthwiseShape& shape, auto vector) {
      constexpr int kV = decltype(vector)::value;
      with_index_type(p.out_pixels(), [&](auto index) {
        using Index = decltype(index);
        const auto bytes = static_cast<std::size_t>(shared_bytes(p.taps(), std::int64_t{shape.lanes} * kV));
        launch(stream,
               {.kernel = "conv_depthwise_forward",
                .grid = depthwise_grid(stream, p.out_pixels(), p.out_channels, shape.lanes, kV),
                .block = kBlockThreads,
                .shared_bytes = bytes},
               conv_depthwise_forward_kernel<T, kV, Index>, shape, PixelIndex<Index>(p.out_height, p.out_width),
               static_cast<const T*>(x), static_cast<const T*>(w), epilogue.bias,
               static_cast<const T*>(epilogue.residual), epilogue.relu, static_cast<T*>(y));
      });
    });
  });
}

void conv_depthwise_backward_data(const Stream& stream, DType dtype, const ConvProblem& p, const void* dy,
                                  const void* w, void* dx) {
  const auto divisor_h = static_cast<int>(std::gcd(p.stride.height, p.dilation.height));
  const auto divisor_w = static_cast<int>(std::gcd(p.stride.width, p.dilation.width));
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    with_lanes<T>(p, aligned_to_16(dy, dx), p.channels, p.group_outputs(), [&](DepthwiseShape shape, auto vector) {
      constexpr int kV = decltype(vector)::value;
      const BackSteps steps{shape.stride_h / divisor_h, shape.dilation_h / divisor_h, shape.stride_w / divisor_w,
                            shape.dilation_w / divisor_w};
      with_index_type(p.in_pixels(), [&](auto index) {
        using Index = decltype(index);
        const auto bytes =
            static_cast<std::size_t>(shared_bytes(p.taps(), std::int64_t{shape.lanes} * kV * shape.multiplier));
        launch(stream,
               {.kernel = "conv_depthwise_backward_data",
                .grid = depthwise_grid(stream, p.in_pixels(), p.channels, shape.lanes, kV),
                .block = kBlockThreads,
                .shared_bytes = bytes},
               conv_depthwise_backward_data_kernel<T, kV, Index>, shape, PixelIndex<Index>(p.height, p.width), steps,
               static_cast<const T*>(dy), static_cast<const T*>(w), static_cast<T*>(dx));
      });
    });
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
