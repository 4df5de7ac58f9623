#include <algorithm>
#include <cmath>
#include <functional>

#include "engine/backend/contract.h"
#include "engine/base/parallel_for.h"
#include "engine/cpu/batch_norm_statistics.h"
#include "engine/cpu/channel_panel.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/parallel_slots.h"
#include "engine/cpu/simd.h"

// Backward of batch norm. With g = dy masked by the ReLU or ReLU6 and d = x - mean, the sums of g and of g d give
// dshift and dscale; training then needs a second pass, dx = slope (g - mean(g) - d inverse^2 mean(g d)), evaluation dx
// = slope g.

namespace graft {

namespace {

/// One pass over dy: what it reads and, where given, writes, [rows, C] each.
template <class T>
struct GradientPass {
  const T* dy;
  const T* y;    ///< masks dy, if given
  const T* x;    ///< read for the sums only
  T* dresidual;  ///< g, if given
  T* dx;         ///< slope g, if given
  std::int64_t channels;
  float ceiling;  ///< of y
};

/// g: dy where 0 < y < ceiling, else 0.
inline simd::f32x8 mask_gradient(simd::f32x8 dy, simd::f32x8 y, float ceiling) {
  return simd::select((y > 0.0f) & (y < ceiling), dy, simd::f32x8{});
}

struct TileSums {
  TileValues mean;
  TileValues slope;
  TileValues gradients;  ///< sums of g
  TileValues products;   ///< sums of g d
};

template <class T, bool kMasks, bool kSums>
void gradient_rows(const GradientPass<T>& pass, const ChannelPanel& panel, std::int64_t begin, std::int64_t end,
                   TileSums& tile) {
  for_tile_vectors(panel, pass.channels, begin, end, [&](std::int64_t i, std::int64_t offset, auto lanes) {
    simd::f32x8 g = simd::load(pass.dy + offset, lanes);
    if constexpr (kMasks) g = mask_gradient(g, simd::load(pass.y + offset, lanes), pass.ceiling);
    if constexpr (kSums) {
      tile.gradients.set(i, tile.gradients.at(i) + g);
      tile.products.set(i, tile.products.at(i) + g * (simd::load(pass.x + offset, lanes) - tile.mean.at(i)));
    }
    if (pass.dresidual != nullptr) simd::store(pass.dresidual + offset, g, lanes);
    if (pass.dx != nullptr) simd::store(pass.dx + offset, g * tile.slope.at(i), lanes);
  });
}

/// Rows [begin, end) of one panel; sums are f64 [2, C]: of g, then of g d.
template <class T, bool kMasks, bool kSums>
void gradient_panel(const GradientPass<T>& pass, const ChannelPanel& panel, std::int64_t begin, std::int64_t end,
                    TileSums& tile, double* sums) {
  constexpr std::int64_t kTiles = 128;  // as in the statistics: short f32 sums, joined in f64
  for (std::int64_t row = begin; row < end; row += kTiles * panel.repeat) {
    gradient_rows<T, kMasks, kSums>(pass, panel, row, std::min(end, row + kTiles * panel.repeat), tile);
    if constexpr (kSums) {
      tile.gradients.fold(panel, [&](std::int64_t c, double sum) { sums[c] += sum; });
      tile.products.fold(panel, [&](std::int64_t c, double sum) { sums[pass.channels + c] += sum; });
      tile.gradients.clear();
      tile.products.clear();
    }
  }
}

/// Per-channel inputs of a pass.
struct ChannelFactors {
  const float* mean;
  const float* slope;  ///< dx = slope g
};

/// The whole pass; with sums, those of all slots end in slot 0 of the scratch.
template <class T, bool kMasks, bool kSums>
void gradient_pass(const GradientPass<T>& pass, std::int64_t rows, const ChannelFactors& factors, int slots,
                   const BatchNormScratch& scratch) {
  const std::int64_t channels = pass.channels;
  const auto range = [&](std::int64_t slot, std::int64_t begin, std::int64_t end) {
    double* sums = scratch.sums(slot);
    std::fill_n(sums, 2 * channels, 0.0);
    for_panels(channels, [&](const ChannelPanel& panel) {
      TileSums tile;
      tile.mean.spread(panel, [&](std::int64_t c) { return factors.mean[c]; });
      tile.slope.spread(panel, [&](std::int64_t c) { return factors.slope[c]; });
      gradient_panel<T, kMasks, kSums>(pass, panel, begin, end, tile, sums);
    });
  };
  const std::int64_t used = parallel_slots(slots, rows, row_grain(channels), range);
  double* total = scratch.sums(0);
  if (used == 0) std::fill_n(total, 2 * channels, 0.0);
  for (std::int64_t slot = 1; slot < used; ++slot) {
    for (std::int64_t c = 0; c < 2 * channels; ++c) total[c] += scratch.sums(slot)[c];
  }
}

template <class T>
void gradient_pass(const GradientPass<T>& pass, std::int64_t rows, const ChannelFactors& factors, bool with_sums,
                   int slots, const BatchNormScratch& scratch) {
  if (pass.y != nullptr) {
    with_sums ? gradient_pass<T, true, true>(pass, rows, factors, slots, scratch)
              : gradient_pass<T, true, false>(pass, rows, factors, slots, scratch);
  } else {
    with_sums ? gradient_pass<T, false, true>(pass, rows, factors, slots, scratch)
              : gradient_pass<T, false, false>(pass, rows, factors, slots, scratch);
  }
}

/// dx = slope (g - gradient_mean - (x - mean) product_factor), per channel.
struct TileGradient {
  TileValues mean;
  TileValues slope;
  TileValues gradient_mean;
  TileValues product_factor;
  float ceiling;  ///< of y
};

/// `g` is dy, to be masked by y, or already masked and y null.
template <class T, bool kMasks>
void input_gradient_rows(const T* g, const T* y, const T* x, T* dx, std::int64_t channels, const ChannelPanel& panel,
                         const TileGradient& by, std::int64_t begin, std::int64_t end) {
  for_tile_vectors(panel, channels, begin, end, [&](std::int64_t i, std::int64_t offset, auto lanes) {
    simd::f32x8 gradient = simd::load(g + offset, lanes);
    if constexpr (kMasks) gradient = mask_gradient(gradient, simd::load(y + offset, lanes), by.ceiling);
    const simd::f32x8 deviation = simd::load(x + offset, lanes) - by.mean.at(i);
    const simd::f32x8 centred = gradient - by.gradient_mean.at(i) - deviation * by.product_factor.at(i);
    simd::store(dx + offset, centred * by.slope.at(i), lanes);
  });
}

/// Writes slope = scale * inverse deviation into the scratch.
void set_slopes(const Tensor& scale, const float* inverse, const BatchNormScratch& scratch) {
  const float* scales = scale.data<float>();
  float* slopes = scratch.first_coefficient();
  for (std::int64_t c = 0, channels = scale.numel(); c < channels; ++c) slopes[c] = scales[c] * inverse[c];
}

void write_channel_gradients(const BatchNormScratch& scratch, const float* inverse, const Tensor& dscale,
                             const Tensor& dshift) {
  if (!dscale.defined()) return;
  const std::int64_t channels = dscale.numel();
  const double* sums = scratch.sums(0);
  float* scales = dscale.data<float>();
  float* shifts = dshift.data<float>();
  for (std::int64_t c = 0; c < channels; ++c) {
    shifts[c] = static_cast<float>(sums[c]);
    scales[c] = static_cast<float>(sums[channels + c] * static_cast<double>(inverse[c]));
  }
}

/// Second pass of training. Where the first wrote the masked gradient, it is read again instead of dy and y.
template <class T>
void input_gradient(const Tensor& dy, const Tensor& x, const Tensor& y, const Tensor& dresidual, const Tensor& dx,
                    const std::function<void(const ChannelPanel&, TileGradient&)>& fill_tile) {
  const std::int64_t channels = x.dim(-1);
  const bool masked = !y.defined() || dresidual.defined();
  const T* g = y.defined() && masked ? dresidual.data<T>() : dy.data<T>();
  const T* y_data = masked ? nullptr : y.data<T>();
  const T* x_data = x.data<T>();
  T* dx_data = dx.data<T>();
  const std::int64_t grain = row_grain(channels);
  parallel_for(x.numel() / channels, grain, [&](std::int64_t begin, std::int64_t end) {
    for_panels(channels, [&](const ChannelPanel& panel) {
      TileGradient tile;
      fill_tile(panel, tile);
      for_blocks_backwards(begin, end, grain, [&](std::int64_t first, std::int64_t last) {
        if (masked) {
          input_gradient_rows<T, false>(g, nullptr, x_data, dx_data, channels, panel, tile, first, last);
        } else {
          input_gradient_rows<T, true>(g, y_data, x_data, dx_data, channels, panel, tile, first, last);
        }
      });
    });
  });
}

}  // namespace

void CpuBackend::batch_norm_train_backward(const Tensor& dy, const Tensor& x, const Tensor& y, const Tensor& scale,
                                           const Tensor& mean, const Tensor& inverse_deviation,
                                           const BatchNormOptions& options, const Tensor& scratch, const Tensor& dx,
                                           const Tensor& dresidual, const Tensor& dscale, const Tensor& dshift) {
  check_batch_norm_train_backward(*this, dy, x, y, scale, mean, inverse_deviation, options, scratch, dx, dresidual,
                                  dscale, dshift);
  check_scratch("batch_norm_train_backward", *this, scratch, batch_norm_scratch_bytes(x.shape(), x.dtype()));
  if (x.dim(-1) == 0) return;
  enter();
  const std::int64_t channels = x.dim(-1);
  const std::int64_t rows = x.numel() / channels;
  const BatchNormScratch memory(scratch, channels, threads_);
  const float* means = mean.data<float>();
  const float* inverse = inverse_deviation.data<float>();
  set_slopes(scale, inverse, memory);
  const double* sums = memory.sums(0);
  with_float_type(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const GradientPass<T> pass{dy.data<T>(),
                               y.data<T>(),
                               x.data<T>(),
                               dresidual.data<T>(),
                               nullptr,
                               channels,
                               static_cast<float>(options.ceiling())};
    gradient_pass(pass, rows, {means, memory.first_coefficient()}, true, threads_, memory);
    input_gradient<T>(dy, x, y, dresidual, dx, [&](const ChannelPanel& panel, TileGradient& tile) {
      const auto count = static_cast<double>(rows);
      tile.ceiling = static_cast<float>(options.ceiling());
      tile.mean.spread(panel, [&](std::int64_t c) { return means[c]; });
      tile.slope.spread(panel, [&](std::int64_t c) { return memory.first_coefficient()[c]; });
      tile.gradient_mean.spread(panel, [&](std::int64_t c) { return sums[c] / count; });
      tile.product_factor.spread(panel, [&](std::int64_t c) {
        const auto inv = static_cast<double>(inverse[c]);
        return inv * inv * sums[channels + c] / count;
      });
    });
  });
  write_channel_gradients(memory, inverse, dscale, dshift);
}

void CpuBackend::batch_norm_eval_backward(const Tensor& dy, const Tensor& x, const Tensor& y, const Tensor& scale,
                                          const Tensor& mean, const Tensor& var, const BatchNormOptions& options,
                                          const Tensor& scratch, const Tensor& dx, const Tensor& dresidual,
                                          const Tensor& dscale, const Tensor& dshift) {
  check_batch_norm_eval_backward(*this, dy, x, y, scale, mean, var, options, scratch, dx, dresidual, dscale, dshift);
  check_scratch("batch_norm_eval_backward", *this, scratch, batch_norm_scratch_bytes(x.shape(), x.dtype()));
  if (x.dim(-1) == 0) return;
  enter();
  const std::int64_t channels = x.dim(-1);
  const BatchNormScratch memory(scratch, channels, threads_);
  const float* variances = var.data<float>();
  float* inverse = memory.second_coefficient();
  for (std::int64_t c = 0; c < channels; ++c) {
    inverse[c] = static_cast<float>(1.0 / std::sqrt(static_cast<double>(variances[c]) + options.eps));
  }
  set_slopes(scale, inverse, memory);
  with_float_type(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const GradientPass<T> pass{dy.data<T>(),
                               y.data<T>(),
                               x.data<T>(),
                               dresidual.data<T>(),
                               dx.data<T>(),
                               channels,
                               static_cast<float>(options.ceiling())};
    gradient_pass(pass, x.numel() / channels, {mean.data<float>(), memory.first_coefficient()}, dscale.defined(),
                  threads_, memory);
  });
  write_channel_gradients(memory, inverse, dscale, dshift);
}

}  // namespace graft
