#include <algorithm>
#include <cmath>
#include <functional>

#include "engine/backend/contract.h"
#include "engine/base/parallel_for.h"
#include "engine/cpu/batch_norm_statistics.h"
#include "engine/cpu/channel_panel.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/simd.h"

namespace graft {

namespace {

/// y = act((x - mean) slope + offset [+ residual]), each repeated over a tile.
struct TileNormalisation {
  TileValues mean;
  TileValues slope;
  TileValues offset;
  float ceiling;  ///< of y, with an activation
};

/// Sets the coefficients of a panel's channels.
using FillTile = std::function<void(const ChannelPanel& panel, TileNormalisation& tile)>;

template <class T, bool kResidual, bool kRectifies>
void normalise_rows(const T* x, const T* residual, T* y, std::int64_t channels, const ChannelPanel& panel,
                    const TileNormalisation& by, std::int64_t begin, std::int64_t end) {
  for_tile_vectors(panel, channels, begin, end, [&](std::int64_t i, std::int64_t offset, auto lanes) {
    simd::f32x8 value = (simd::load(x + offset, lanes) - by.mean.at(i)) * by.slope.at(i) + by.offset.at(i);
    if constexpr (kResidual) value += simd::load(residual + offset, lanes);
    if constexpr (kRectifies) value = simd::at_most(simd::relu(value), simd::f32x8{} + by.ceiling);
    simd::store(y + offset, value, lanes);
  });
}

template <class T, bool kResidual, bool kRectifies>
void normalise_as(const Tensor& x, const Tensor& residual, const Tensor& y, double ceiling, const FillTile& fill_tile) {
  const std::int64_t channels = x.dim(-1);
  const std::int64_t grain = row_grain(channels);
  const T* from = x.data<T>();
  const T* added = residual.data<T>();
  T* to = y.data<T>();
  parallel_for(x.numel() / channels, grain, [&](std::int64_t begin, std::int64_t end) {
    for_panels(channels, [&](const ChannelPanel& panel) {
      TileNormalisation tile;
      tile.ceiling = static_cast<float>(ceiling);
      fill_tile(panel, tile);
      for_blocks_backwards(begin, end, grain, [&](std::int64_t first, std::int64_t last) {
        normalise_rows<T, kResidual, kRectifies>(from, added, to, channels, panel, tile, first, last);
      });
    });
  });
}

void normalise(const Tensor& x, const Tensor& residual, const Tensor& y, const BatchNormOptions& options,
               const FillTile& fill_tile) {
  const double ceiling = options.ceiling();
  with_float_type(x.dtype(), [&](auto type) {
    using T = decltype(type);
    if (residual.defined()) {
      options.rectifies() ? normalise_as<T, true, true>(x, residual, y, ceiling, fill_tile)
                          : normalise_as<T, true, false>(x, residual, y, ceiling, fill_tile);
    } else {
      options.rectifies() ? normalise_as<T, false, true>(x, residual, y, ceiling, fill_tile)
                          : normalise_as<T, false, false>(x, residual, y, ceiling, fill_tile);
    }
  });
}

void set_zero(const Tensor& per_channel) { std::fill_n(per_channel.data<float>(), per_channel.numel(), 0.0f); }

/// Statistics of the whole batch, f64 [C] each.
struct BatchMoments {
  const double* mean;
  const double* squares;  ///< sum of squared deviations
  double rows;
};

void save_statistics(const BatchMoments& batch, double eps, const Tensor& mean, const Tensor& inverse_deviation) {
  float* means = mean.data<float>();
  float* inverse = inverse_deviation.data<float>();
  for (std::int64_t c = 0; c < mean.numel(); ++c) {
    means[c] = static_cast<float>(batch.mean[c]);
    inverse[c] = static_cast<float>(1.0 / std::sqrt(batch.squares[c] / batch.rows + eps));
  }
}

void update_running(const BatchMoments& batch, double momentum, const Tensor& running_mean, const Tensor& running_var) {
  float* means = running_mean.data<float>();
  float* variances = running_var.data<float>();
  const double unbiased_rows = std::max(1.0, batch.rows - 1.0);
  const auto blend = [momentum](float old, double batch_value) {
    return static_cast<float>((1.0 - momentum) * static_cast<double>(old) + momentum * batch_value);
  };
  for (std::int64_t c = 0; c < running_mean.numel(); ++c) {
    means[c] = blend(means[c], batch.mean[c]);
    variances[c] = blend(variances[c], batch.squares[c] / unbiased_rows);
  }
}

}  // namespace

std::size_t CpuBackend::batch_norm_scratch_bytes(const Shape& x, DType) {
  return BatchNormScratch::bytes(x.dim(-1), threads_);
}

void CpuBackend::batch_norm_train(const Tensor& x, const Tensor& residual, const Tensor& scale, const Tensor& shift,
                                  const BatchNormOptions& options, const Tensor& running_mean,
                                  const Tensor& running_var, const Tensor& scratch, const Tensor& y, const Tensor& mean,
                                  const Tensor& inverse_deviation) {
  check_batch_norm_train(*this, x, residual, scale, shift, options, running_mean, running_var, scratch, y, mean,
                         inverse_deviation);
  check_scratch("batch_norm_train", *this, scratch, batch_norm_scratch_bytes(x.shape(), x.dtype()));
  if (x.numel() == 0) {
    set_zero(mean);
    set_zero(inverse_deviation);
    return;
  }
  enter();
  const std::int64_t channels = x.dim(-1);
  const BatchNormScratch memory(scratch, channels, threads_);
  batch_norm_statistics(x, threads_, memory);
  const std::int64_t rows = x.numel() / channels;
  const BatchMoments batch{memory.sums(0), memory.sums(0) + channels, static_cast<double>(rows)};
  save_statistics(batch, options.eps, mean, inverse_deviation);
  if (running_mean.defined()) update_running(batch, options.momentum, running_mean, running_var);

  const float* means = mean.data<float>();
  const float* shifts = shift.data<float>();
  const auto slope = [scales = scale.data<float>(), inverse = inverse_deviation.data<float>()](std::int64_t c) {
    return static_cast<double>(scales[c]) * static_cast<double>(inverse[c]);
  };
  normalise(x, residual, y, options, [&](const ChannelPanel& panel, TileNormalisation& tile) {
    tile.mean.spread(panel, [&](std::int64_t c) { return means[c]; });
    tile.slope.spread(panel, slope);
    // What rounding took from the mean goes into the offset: no digits are lost where the mean is large.
    tile.offset.spread(panel, [&](std::int64_t c) {
      const double rounding = batch.mean[c] - static_cast<double>(means[c]);
      return static_cast<double>(shifts[c]) - rounding * slope(c);
    });
  });
}

void CpuBackend::batch_norm_eval(const Tensor& x, const Tensor& residual, const Tensor& scale, const Tensor& shift,
                                 const Tensor& mean, const Tensor& var, const BatchNormOptions& options,
                                 const Tensor& y) {
  check_batch_norm_eval(*this, x, residual, scale, shift, mean, var, options, y);
  if (x.numel() == 0) return;
  enter();
  const float* means = mean.data<float>();
  const float* variances = var.data<float>();
  const float* scales = scale.data<float>();
  const float* shifts = shift.data<float>();
  normalise(x, residual, y, options, [&](const ChannelPanel& panel, TileNormalisation& tile) {
    tile.mean.spread(panel, [&](std::int64_t c) { return means[c]; });
    tile.slope.spread(panel, [&](std::int64_t c) {
      return static_cast<double>(scales[c]) / std::sqrt(static_cast<double>(variances[c]) + options.eps);
    });
    tile.offset.spread(panel, [&](std::int64_t c) { return shifts[c]; });
  });
}

}  // namespace graft
