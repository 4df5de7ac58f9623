#include "engine/ops/batch_norm.h"

#include "engine/backend/backend.h"
#include "engine/ops/parameter.h"

namespace graft {
namespace {

// What backward needs; `x` is undefined where no wanted gradient uses it, `y` unless there is an activation.
struct Saved {
  Tensor x;
  Tensor y;
  Tensor scale;
  Tensor mean;
  Tensor deviation;  // of the batch: its inverse deviation; else the running variance
  bool from_batch;
  BatchNormOptions options;
};

// The gradient of the sum before the activation, and so of the residual. ReLU6 is flat where its output is.
Tensor masked(const Saved& saved, const Tensor& dy) {
  if (!saved.options.rectifies()) return dy;
  const Tensor result = dy.backend().empty(dy.shape(), dy.dtype());
  if (saved.options.relu6) {
    dy.backend().activation_backward(Activation::relu6, saved.y, dy, result);
  } else {
    dy.backend().relu_backward(dy, saved.y, result);
  }
  return result;
}

std::vector<Tensor> batch_norm_backward(const Saved& saved, const Tensor& dy, std::span<const bool> needs) {
  Backend& backend = dy.backend();
  const bool scale_needed = needs[2] || needs[3];
  if (!needs[0] && !scale_needed) return {Tensor(), masked(saved, dy), Tensor(), Tensor()};

  // The gradient through the batch's statistics always gives dx; constants give it on demand.
  const Tensor dx = needs[0] || saved.from_batch ? backend.empty(dy.shape(), dy.dtype()) : Tensor();
  const Tensor dresidual = needs[1] && saved.options.rectifies() ? backend.empty(dy.shape(), dy.dtype()) : Tensor();
  const Tensor dscale = scale_needed ? backend.empty(saved.scale.shape(), saved.scale.dtype()) : Tensor();
  const Tensor dshift = scale_needed ? backend.empty(saved.scale.shape(), saved.scale.dtype()) : Tensor();
  const Tensor scratch = backend.scratch(backend.batch_norm_scratch_bytes(dy.shape(), dy.dtype()));
  if (saved.from_batch) {
    backend.batch_norm_train_backward(dy, saved.x, saved.y, saved.scale, saved.mean, saved.deviation, saved.options,
                                      scratch, dx, dresidual, dscale, dshift);
  } else {
    // With constant statistics x enters dscale alone; where that is not wanted x was not kept and dy stands in for it.
    backend.batch_norm_eval_backward(dy, saved.x.defined() ? saved.x : dy, saved.y, saved.scale, saved.mean,
                                     saved.deviation, saved.options, scratch, dx, dresidual, dscale, dshift);
  }
  // Without an activation the residual's gradient is dy itself.
  return {dx, saved.options.rectifies() ? dresidual : dy, dscale, dshift};
}

void check_arguments(const Variable& x, const Variable& residual, const Variable& scale, const Variable& shift,
                     const Tensor& running_mean, const Tensor& running_var) {
  check(x.shape().rank() >= 1, "[batch_norm] x is a scalar, it must be [..., C]");
  check(!residual.defined() || (residual.shape() == x.shape() && residual.dtype() == x.dtype()),
        "[batch_norm] residual is {}, x is {}", residual.defined() ? residual.value().str() : "", x.value().str());
  check_parameter("batch_norm", "scale", scale, x.dtype());
  check_parameter("batch_norm", "shift", shift, x.dtype());
  const Shape channels{x.shape()[-1]};
  check(scale.shape() == channels && shift.shape() == channels, "[batch_norm] x has {} channels, scale is {}, shift {}",
        channels[0], scale.shape().str(), shift.shape().str());
  for (const Tensor& statistic : {running_mean, running_var}) {
    check(!statistic.defined() || (statistic.shape() == channels && statistic.dtype() == scale.dtype()),
          "[batch_norm] running statistics are {}, scale is {}", statistic.str(), scale.value().str());
  }
}

}  // namespace

Variable batch_norm(const Variable& x, const Variable& residual, const Variable& scale, const Variable& shift,
                    const Tensor& running_mean, const Tensor& running_var, BatchNormStatistics statistics,
                    const BatchNormOptions& options) {
  check_arguments(x, residual, scale, shift, running_mean, running_var);
  check(statistics == BatchNormStatistics::batch || (running_mean.defined() && running_var.defined()),
        "[batch_norm] running statistics are not given: pass them, or use those of the batch alone");

  Backend& backend = x.backend();
  const bool from_batch = statistics != BatchNormStatistics::running;
  const bool update = statistics == BatchNormStatistics::batch_and_update;
  const Tensor y = backend.empty(x.shape(), x.dtype());
  const Tensor mean = from_batch ? backend.empty(scale.shape(), scale.dtype()) : running_mean;
  const Tensor deviation = from_batch ? backend.empty(scale.shape(), scale.dtype()) : running_var;
  const Tensor added = residual.defined() ? residual.value() : Tensor();

  if (from_batch) {
    const Tensor scratch = backend.scratch(backend.batch_norm_scratch_bytes(x.shape(), x.dtype()));
    backend.batch_norm_train(x.value(), added, scale.value(), shift.value(), options, update ? running_mean : Tensor(),
                             update ? running_var : Tensor(), scratch, y, mean, deviation);
  } else {
    backend.batch_norm_eval(x.value(), added, scale.value(), shift.value(), mean, deviation, options, y);
  }

  if (!will_record({x, residual, scale, shift})) return Variable(y);
  const bool scale_needed = scale.requires_grad() || shift.requires_grad();
  const bool x_used = scale_needed || (from_batch && x.requires_grad());
  const Saved saved{.x = x_used ? x.value() : Tensor(),
                    .y = options.rectifies() ? y : Tensor(),
                    .scale = scale.value(),
                    .mean = mean,
                    .deviation = deviation,
                    .from_batch = from_batch,
                    .options = options};
  return record("batch_norm", y, {x, residual, scale, shift}, [saved](const Tensor& dy, std::span<const bool> needs) {
    return batch_norm_backward(saved, dy, needs);
  });
}

}  // namespace graft
