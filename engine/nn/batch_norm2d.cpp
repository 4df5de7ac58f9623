#include "engine/nn/batch_norm2d.h"

#include "engine/backend/backend.h"

namespace graft {

BatchNorm2d::BatchNorm2d(Backend& backend, std::int64_t channels, const BatchNormOptions& options)
    : options_(options),
      weight_(add_parameter("weight", backend.empty({channels}, DType::f32))),
      bias_(add_parameter("bias", backend.empty({channels}, DType::f32))),
      running_mean_(add_buffer("running_mean", backend.empty({channels}, DType::f32))),
      running_var_(add_buffer("running_var", backend.empty({channels}, DType::f32))),
      num_batches_tracked_(add_buffer("num_batches_tracked", backend.empty({}, DType::i64))) {}

BatchNormStatistics BatchNorm2d::statistics(const ForwardContext& context) const {
  if (!context.training) return BatchNormStatistics::running;
  if (!frozen()) return BatchNormStatistics::batch_and_update;
  switch (frozen_policy()) {
    case BatchNormPolicy::batch:
      return BatchNormStatistics::batch;
    case BatchNormPolicy::update:
      return BatchNormStatistics::batch_and_update;
    case BatchNormPolicy::eval:
      break;
  }
  return BatchNormStatistics::running;
}

Variable BatchNorm2d::forward(const Variable& x, const ForwardContext& context) { return forward(x, {}, context); }

Variable BatchNorm2d::forward(const Variable& x, const Variable& residual, const ForwardContext& context) {
  const BatchNormStatistics wanted = statistics(context);
  const Variable y =
      batch_norm(x, residual, weight_, bias_, running_mean_.value(), running_var_.value(), wanted, options_);
  if (wanted == BatchNormStatistics::batch_and_update) {
    x.backend().advance(num_batches_tracked_.value().reshape({1}));
    running_mean_.mark_changed();
    running_var_.mark_changed();
    num_batches_tracked_.mark_changed();
  }
  return y;
}

}  // namespace graft
