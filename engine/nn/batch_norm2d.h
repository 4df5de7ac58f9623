#pragma once

#include <cstdint>

#include "engine/nn/module.h"
#include "engine/ops/batch_norm.h"

namespace graft {

/// Batch normalisation over channels with parameters "weight" and "bias" [C] and buffers "running_mean", "running_var"
/// [C] and "num_batches_tracked" (i64 scalar), values undefined until initialize() or a checkpoint fills them.
///
/// Statistics: training and not frozen: the batch's, running ones updated. Not training: the running ones. Training and
/// frozen: as frozen_policy() says.
class BatchNorm2d : public Module {
 public:
  /// With options.relu or options.relu6 every forward ends in that activation, after the residual.
  BatchNorm2d(Backend& backend, std::int64_t channels, const BatchNormOptions& options = {});
  Variable forward(const Variable& x, const ForwardContext& context) override;
  /// Adds `residual` (may be undefined) before the activation.
  Variable forward(const Variable& x, const Variable& residual, const ForwardContext& context);

  const BatchNormOptions& options() const { return options_; }
  const Variable& weight() const { return weight_; }
  const Variable& bias() const { return bias_; }
  const Variable& running_mean() const { return running_mean_; }
  const Variable& running_var() const { return running_var_; }

 private:
  BatchNormStatistics statistics(const ForwardContext& context) const;

  BatchNormOptions options_;
  Variable weight_;
  Variable bias_;
  Variable running_mean_;
  Variable running_var_;
  Variable num_batches_tracked_;
};

}  // namespace graft
