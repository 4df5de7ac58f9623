#include <cmath>

#include "engine/backend/contract.h"
#include "engine/reference/doubles.h"
#include "engine/reference/reference_backend.h"

namespace graft {

namespace {

using Values = std::vector<double>;

/// y = act(scale (x - mean) inverse_deviation + shift [+ residual]), all per channel.
Values normalise(const Values& x, const Values& residual, const Values& scale, const Values& shift, const Values& mean,
                 const Values& inverse_deviation, const BatchNormOptions& options) {
  Values y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i % scale.size();
    y[i] = scale[c] * (x[i] - mean[c]) * inverse_deviation[c] + shift[c];
    if (!residual.empty()) y[i] += residual[i];
    if (options.rectifies() && y[i] < 0.0) y[i] = 0.0;
    if (options.rectifies() && y[i] > options.ceiling()) y[i] = options.ceiling();
  }
  return y;
}

Values inverse_deviations(const Values& var, double eps) {
  Values result(var.size());
  for (std::size_t c = 0; c < var.size(); ++c) result[c] = 1.0 / std::sqrt(var[c] + eps);
  return result;
}

struct Moments {
  Values mean;
  Values var;  ///< biased
};

/// In two passes: the deviations are taken from the finished mean, which keeps the variance of a large mean exact.
Moments batch_moments(const Values& x, std::size_t channels, double rows) {
  Moments moments{Values(channels), Values(channels)};
  for (std::size_t i = 0; i < x.size(); ++i) moments.mean[i % channels] += x[i] / rows;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double deviation = x[i] - moments.mean[i % channels];
    moments.var[i % channels] += deviation * deviation / rows;
  }
  return moments;
}

/// running = (1 - momentum) running + momentum batch.
void update_running(const Values& batch, double factor, double momentum, const Tensor& running) {
  Values values = load(running);
  for (std::size_t c = 0; c < values.size(); ++c) {
    values[c] = (1.0 - momentum) * values[c] + momentum * factor * batch[c];
  }
  store(values, running);
}

/// dy where y is neither 0 nor at its ceiling, all of dy without an activation: what reaches the sum before it.
Values masked(const Tensor& dy, const Tensor& y, const BatchNormOptions& options) {
  Values result = load(dy);
  if (!options.rectifies()) return result;
  const Values y_values = load(y);
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = y_values[i] > 0.0 && y_values[i] < options.ceiling() ? result[i] : 0.0;
  }
  return result;
}

struct ChannelGradients {
  Values scale;
  Values shift;
};

ChannelGradients channel_gradients(const Values& dy, const Values& x, const Values& mean,
                                   const Values& inverse_deviation) {
  const std::size_t channels = mean.size();
  ChannelGradients sums{Values(channels), Values(channels)};
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i % channels;
    sums.scale[c] += dy[i] * (x[i] - mean[c]) * inverse_deviation[c];
    sums.shift[c] += dy[i];
  }
  return sums;
}

}  // namespace

void ReferenceBackend::batch_norm_train(const Tensor& x, const Tensor& residual, const Tensor& scale,
                                        const Tensor& shift, const BatchNormOptions& options,
                                        const Tensor& running_mean, const Tensor& running_var, const Tensor& scratch,
                                        const Tensor& y, const Tensor& mean, const Tensor& inverse_deviation) {
  check_batch_norm_train(*this, x, residual, scale, shift, options, running_mean, running_var, scratch, y, mean,
                         inverse_deviation);
  const auto channels = static_cast<std::size_t>(mean.numel());
  const Values x_values = load(x);
  if (x_values.empty()) {
    store(Values(channels), mean);
    store(Values(channels), inverse_deviation);
    return;
  }
  const std::size_t row_count = x_values.size() / channels;
  const auto rows = static_cast<double>(row_count);
  const Moments moments = batch_moments(x_values, channels, rows);
  const Values inverse = inverse_deviations(moments.var, options.eps);
  const Values y_values = normalise(x_values, load(residual), load(scale), load(shift), moments.mean, inverse, options);
  if (running_mean.defined()) {
    const double unbiased = rows > 1.0 ? rows / (rows - 1.0) : 1.0;
    update_running(moments.mean, 1.0, options.momentum, running_mean);
    update_running(moments.var, unbiased, options.momentum, running_var);
  }
  store(moments.mean, mean);
  store(inverse, inverse_deviation);
  store(y_values, y);
}

void ReferenceBackend::batch_norm_eval(const Tensor& x, const Tensor& residual, const Tensor& scale,
                                       const Tensor& shift, const Tensor& mean, const Tensor& var,
                                       const BatchNormOptions& options, const Tensor& y) {
  check_batch_norm_eval(*this, x, residual, scale, shift, mean, var, options, y);
  store(normalise(load(x), load(residual), load(scale), load(shift), load(mean),
                  inverse_deviations(load(var), options.eps), options),
        y);
}

void ReferenceBackend::batch_norm_train_backward(const Tensor& dy, const Tensor& x, const Tensor& y,
                                                 const Tensor& scale, const Tensor& mean,
                                                 const Tensor& inverse_deviation, const BatchNormOptions& options,
                                                 const Tensor& scratch, const Tensor& dx, const Tensor& dresidual,
                                                 const Tensor& dscale, const Tensor& dshift) {
  check_batch_norm_train_backward(*this, dy, x, y, scale, mean, inverse_deviation, options, scratch, dx, dresidual,
                                  dscale, dshift);
  const Values dy_values = masked(dy, y, options);
  const Values x_values = load(x);
  const Values scales = load(scale);
  const Values means = load(mean);
  const Values inverse = load(inverse_deviation);
  const auto [scale_sums, shift_sums] = channel_gradients(dy_values, x_values, means, inverse);
  const std::size_t channels = scales.size();
  Values dx_values(x_values.size());
  for (std::size_t i = 0; i < dx_values.size(); ++i) {
    const std::size_t c = i % channels;
    const std::size_t row_count = x_values.size() / channels;
    const auto rows = static_cast<double>(row_count);
    const double normalised = (x_values[i] - means[c]) * inverse[c];
    // The statistics depend on x too: what dy moves in the mean and the deviation is taken off.
    dx_values[i] = scales[c] * inverse[c] * (dy_values[i] - shift_sums[c] / rows - normalised * scale_sums[c] / rows);
  }
  store(dx_values, dx);
  store(dy_values, dresidual);
  store(scale_sums, dscale);
  store(shift_sums, dshift);
}

void ReferenceBackend::batch_norm_eval_backward(const Tensor& dy, const Tensor& x, const Tensor& y, const Tensor& scale,
                                                const Tensor& mean, const Tensor& var, const BatchNormOptions& options,
                                                const Tensor& scratch, const Tensor& dx, const Tensor& dresidual,
                                                const Tensor& dscale, const Tensor& dshift) {
  check_batch_norm_eval_backward(*this, dy, x, y, scale, mean, var, options, scratch, dx, dresidual, dscale, dshift);
  const Values dy_values = masked(dy, y, options);
  const Values scales = load(scale);
  const Values inverse = inverse_deviations(load(var), options.eps);
  const auto [scale_sums, shift_sums] = channel_gradients(dy_values, load(x), load(mean), inverse);
  Values dx_values(dy_values.size());
  for (std::size_t i = 0; i < dx_values.size(); ++i) {
    const std::size_t c = i % scales.size();
    dx_values[i] = scales[c] * inverse[c] * dy_values[i];
  }
  store(dx_values, dx);
  store(dy_values, dresidual);
  store(scale_sums, dscale);
  store(shift_sums, dshift);
}

std::size_t ReferenceBackend::batch_norm_scratch_bytes(const Shape&, DType) { return 0; }

}  // namespace graft
