// Gradients of batch normalisation. With g = dy where 0 < y < ceiling under a ReLU (its ceiling: infinity) or ReLU6,
// all of dy otherwise, and xhat = (x - mean) * inverse deviation, per channel:
//   dshift = sum g, dscale = sum g xhat, dresidual = g,
//   dx = scale * inverse deviation * (g - dshift / rows - xhat dscale / rows) in training, where the statistics depend
//   on x too, and scale * inverse deviation * g in evaluation.
//
// gradient_kernel: a thread has a vector of channels and every step-th row of its block; it sums g and g (x - mean),
// and writes what needs no sums: dresidual, and dx in evaluation. Threads of a block join their sums as a tree.
// finish_gradients_kernel: joins the row blocks in a fixed order.
// input_gradient_kernel: dx in training, reading g again from dresidual where that was written, and going through the
// matrix from its end, whose rows are still in the cache.
// Bound: memory. In training dy, x (and y) twice, dx once; in evaluation each once.

#include "cuda/kernels/batch_norm.h"
#include "cuda/kernels/device/channel_statistics.cuh"
#include "cuda/kernels/device/column_tile.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kRows = 2;

/// Blocks that a multiprocessor shall hold: what keeps three arrays or more in flight has registers for two.
constexpr int kGradientBlocks = 2;
constexpr int gradient_blocks(bool masks, bool sums, bool input) {
  return sums && (masks || input) ? kGradientBlocks : kMappingBlocks;
}

/// Values of a channel that gradient_kernel sums.
enum PartialSum { kGradientSum, kProductSum, kPartialSums };

/// What training takes off each g of a channel, f32 [channels] each.
struct Corrections {
  float* gradient_mean;   ///< sum g / rows
  float* product_factor;  ///< of x - mean: inverse deviation^2 * sum g (x - mean) / rows
};

/// g from dy and y.
template <bool kMasks, int N, class T>
__device__ __forceinline__ void mask_gradient(Vector<T, N>& gradient, const Vector<T, N>& y, float ceiling) {
  if constexpr (kMasks) {
#pragma unroll
    for (int k = 0; k < N; ++k) {
      const float value = to_float(y.element[k]);
      if (!(value > 0.0f && value < ceiling)) gradient.element[k] = from_float<T>(0.0f);
    }
  }
}

/// scale * inverse deviation.
template <int N>
__device__ __forceinline__ void load_slopes(const ChannelStatistics& statistics, const float* scale,
                                            std::int64_t channel, float (&slope)[N]) {
  float inverse[N];
  load_inverse_deviations(statistics, channel, inverse);
  load_floats<N>(scale + channel, slope);
#pragma unroll
  for (int k = 0; k < N; ++k) slope[k] *= inverse[k];
}

/// Writes dx, if it is not null, where kInput.
template <int N, bool kMasks, bool kSums, bool kInput, class T>
__global__ void __launch_bounds__(kBlockThreads, gradient_blocks(kMasks, kSums, kInput))
    gradient_kernel(const T* dy, const T* x, const T* y, float ceiling, ChannelStatistics statistics,
                    const float* scale, ColumnTiling tiling, PartialResults partial, T* dresidual, T* dx) {
  const ColumnPlace place(tiling);
  float mean[N] = {};
  float slope[N] = {};
  if (place.active) {
    if constexpr (kSums) load_floats<N>(statistics.mean + place.channel, mean);
    if constexpr (kInput) load_slopes(statistics, scale, place.channel, slope);
  }
  float sums[kPartialSums * N] = {};
  for (std::int64_t row = place.first_row; row < place.end_row; row += kRows * place.step) {
    Vector<T, N> gradient[kRows] = {};
    Vector<T, N> input[kRows] = {};
    Vector<T, N> output[kRows] = {};
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      if (row + r * place.step >= place.end_row) continue;
      const std::int64_t at = (row + r * place.step) * tiling.channels + place.channel;
      gradient[r] = load_vector<N>(dy + at);
      if constexpr (kSums) input[r] = load_vector<N>(x + at);
      if constexpr (kMasks) output[r] = load_vector<N>(y + at);
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      if (row + r * place.step >= place.end_row) continue;
      const std::int64_t at = (row + r * place.step) * tiling.channels + place.channel;
      mask_gradient<kMasks>(gradient[r], output[r], ceiling);
      if constexpr (kSums) {
#pragma unroll
        for (int k = 0; k < N; ++k) {
          const float g = to_float(gradient[r].element[k]);
          sums[k] += g;
          sums[N + k] = fmaf(g, to_float(input[r].element[k]) - mean[k], sums[N + k]);
        }
      }
      if (dresidual != nullptr) store_vector(dresidual + at, gradient[r]);
      if (kInput && dx != nullptr) {
        float to[N];
#pragma unroll
        for (int k = 0; k < N; ++k) to[k] = to_float(gradient[r].element[k]) * slope[k];
        store_floats<N>(dx + at, to);
      }
    }
  }
  if constexpr (kSums) {
    fold_rows(sums, tiling.lanes, AddValues{});
    if (static_cast<int>(threadIdx.x) >= tiling.lanes || !place.active) return;
#pragma unroll
    for (int k = 0; k < N; ++k) {
      *partial.at(kGradientSum, place.row_block, place.channel + k) = sums[k];
      *partial.at(kProductSum, place.row_block, place.channel + k) = sums[N + k];
    }
  }
}

__global__ void finish_gradients_kernel(PartialResults partial, std::int64_t rows, ChannelStatistics statistics,
                                        Corrections corrections, float* dscale, float* dshift) {
  const std::int64_t c = std::int64_t{blockIdx.x} * kJoinChannels + threadIdx.x % kJoinChannels;
  float sums[kPartialSums] = {};
  if (c < partial.channels) {
#pragma unroll 4
    for (std::int64_t block = threadIdx.x / kJoinChannels; block < partial.row_blocks; block += kJoinStep) {
      sums[kGradientSum] += *partial.at(kGradientSum, block, c);
      sums[kProductSum] += *partial.at(kProductSum, block, c);
    }
  }
  fold_rows(sums, kJoinChannels, AddValues{});
  if (threadIdx.x >= kJoinChannels || c >= partial.channels) return;
  float inverse[1];
  load_inverse_deviations(statistics, c, inverse);
  const float normalised_sum = inverse[0] * sums[kProductSum];
  if (dscale != nullptr) dscale[c] = normalised_sum;
  if (dshift != nullptr) dshift[c] = sums[kGradientSum];
  if (corrections.gradient_mean == nullptr) return;
  const float count = static_cast<float>(max(rows, std::int64_t{1}));
  corrections.gradient_mean[c] = sums[kGradientSum] / count;
  corrections.product_factor[c] = inverse[0] * normalised_sum / count;
}

/// `y` is read where kMasks: where dy is not masked yet.
template <int N, bool kMasks, class T>
__global__ void __launch_bounds__(kBlockThreads, kMasks ? kGradientBlocks : kMappingBlocks)
    input_gradient_kernel(const T* dy, const T* x, const T* y, float ceiling, ChannelStatistics statistics,
                          const float* scale, Corrections corrections, ColumnTiling tiling, T* dx) {
  const ColumnPlace place(tiling, gridDim.x - 1 - blockIdx.x);
  if (!place.active) return;
  float mean[N];
  float slope[N];
  float gradient_mean[N];
  float product_factor[N];
  load_floats<N>(statistics.mean + place.channel, mean);
  load_slopes(statistics, scale, place.channel, slope);
  load_floats<N>(corrections.gradient_mean + place.channel, gradient_mean);
  load_floats<N>(corrections.product_factor + place.channel, product_factor);
  for (std::int64_t row = place.first_row; row < place.end_row; row += kRows * place.step) {
    Vector<T, N> gradient[kRows] = {};
    Vector<T, N> input[kRows] = {};
    Vector<T, N> output[kRows] = {};
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      if (row + r * place.step >= place.end_row) continue;
      const std::int64_t at = (row + r * place.step) * tiling.channels + place.channel;
      gradient[r] = load_vector<N>(dy + at);
      input[r] = load_vector<N>(x + at);
      if constexpr (kMasks) output[r] = load_vector<N>(y + at);
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      if (row + r * place.step >= place.end_row) continue;
      mask_gradient<kMasks>(gradient[r], output[r], ceiling);
      float to[N];
#pragma unroll
      for (int k = 0; k < N; ++k) {
        const float correction = fmaf(to_float(input[r].element[k]) - mean[k], product_factor[k], gradient_mean[k]);
        to[k] = slope[k] * (to_float(gradient[r].element[k]) - correction);
      }
      store_floats<N>(dx + (row + r * place.step) * tiling.channels + place.channel, to);
    }
  }
}

/// Scratch: the corrections, then the partial sums.
Corrections corrections_in(void* scratch, std::int64_t channels) {
  auto* data = static_cast<float*>(scratch);
  return {data, data + channels};
}
PartialResults partial_sums_in(void* scratch, const ColumnTiling& tiling) {
  return {static_cast<float*>(scratch) + 2 * tiling.channels, tiling.row_blocks, tiling.channels};
}

bool aligned(const BatchNormGradientInputs& in, const ChannelStatistics& statistics, const void* scratch,
             const BatchNormGradients& out) {
  return aligned_to_16(in.dy, in.x, in.y, in.scale, statistics.mean, statistics.second, scratch, out.dx, out.dresidual);
}

template <int N, bool kSums, bool kInput, class T>
void launch_gradient(const Stream& stream, const BatchNormGradientInputs& in, const ChannelStatistics& statistics,
                     const ColumnTiling& tiling, const PartialResults& partial, void* dresidual, void* dx) {
  launch(stream, {.kernel = "batch_norm_gradient", .grid = tiling.grid(), .block = kBlockThreads},
         in.y != nullptr ? gradient_kernel<N, true, kSums, kInput, T> : gradient_kernel<N, false, kSums, kInput, T>,
         static_cast<const T*>(in.dy), static_cast<const T*>(in.x), static_cast<const T*>(in.y), in.ceiling, statistics,
         in.scale, tiling, partial, static_cast<T*>(dresidual), static_cast<T*>(dx));
}

void finish_gradients(const Stream& stream, const PartialResults& partial, std::int64_t rows,
                      const ChannelStatistics& statistics, const Corrections& corrections,
                      const BatchNormGradients& out) {
  launch(stream,
         {.kernel = "batch_norm_finish_gradients", .grid = joining_grid(partial.channels), .block = kBlockThreads},
         finish_gradients_kernel, partial, rows, statistics, corrections, out.dscale, out.dshift);
}

}  // namespace

std::size_t batch_norm_scratch_bytes(const Device& device, const BatchNormShape& shape) {
  const auto row_blocks = [&](int vector) {
    return shape.channels % vector == 0 ? reducing_tiling(device, shape.rows, shape.channels, vector).row_blocks : 0;
  };
  const int vector = shape.dtype == DType::bf16 ? kVectorElements<bf16> : kVectorElements<float>;
  const std::int64_t most = std::max(row_blocks(1), row_blocks(vector));
  return static_cast<std::size_t>((2 + kPartialSums * most) * shape.channels) * sizeof(float);
}

void batch_norm_train_backward(const Stream& stream, const BatchNormShape& shape, const BatchNormGradientInputs& in,
                               const ChannelStatistics& statistics, void* scratch, const BatchNormGradients& out) {
  const Corrections corrections = corrections_in(scratch, shape.channels);
  with_column_types(shape.dtype, shape.channels, aligned(in, statistics, scratch, out), [&](auto type, auto vector) {
    using T = decltype(type);
    constexpr int kVector = decltype(vector)::value;
    const ColumnTiling sums = reducing_tiling(stream.device(), shape.rows, shape.channels, kVector,
                                              gradient_blocks(in.y != nullptr, true, false));
    const PartialResults partial = partial_sums_in(scratch, sums);
    launch_gradient<kVector, true, false, T>(stream, in, statistics, sums, partial, out.dresidual, nullptr);
    finish_gradients(stream, partial, shape.rows, statistics, corrections, out);
    if (shape.rows == 0) return;
    const ColumnTiling map = mapping_tiling(stream.device(), shape.rows, shape.channels, kVector);
    const bool mask = in.y != nullptr && out.dresidual == nullptr;
    const void* gradient = out.dresidual != nullptr ? out.dresidual : in.dy;
    launch(stream, {.kernel = "batch_norm_input_gradient", .grid = map.grid(), .block = kBlockThreads},
           mask ? input_gradient_kernel<kVector, true, T> : input_gradient_kernel<kVector, false, T>,
           static_cast<const T*>(gradient), static_cast<const T*>(in.x), static_cast<const T*>(in.y), in.ceiling,
           statistics, in.scale, corrections, map, static_cast<T*>(out.dx));
  });
}

void batch_norm_eval_backward(const Stream& stream, const BatchNormShape& shape, const BatchNormGradientInputs& in,
                              const ChannelStatistics& statistics, void* scratch, const BatchNormGradients& out) {
  with_column_types(shape.dtype, shape.channels, aligned(in, statistics, scratch, out), [&](auto type, auto vector) {
    using T = decltype(type);
    constexpr int kVector = decltype(vector)::value;
    if (out.dscale == nullptr) {
      const ColumnTiling map = mapping_tiling(stream.device(), shape.rows, shape.channels, kVector);
      launch_gradient<kVector, false, true, T>(stream, in, statistics, map, {}, out.dresidual, out.dx);
      return;
    }
    const ColumnTiling sums = reducing_tiling(stream.device(), shape.rows, shape.channels, kVector, kGradientBlocks);
    const PartialResults partial = partial_sums_in(scratch, sums);
    launch_gradient<kVector, true, true, T>(stream, in, statistics, sums, partial, out.dresidual, out.dx);
    finish_gradients(stream, partial, shape.rows, statistics, {}, out);
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
