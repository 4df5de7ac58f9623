#pragma once

#include <memory>
#include <vector>

#include "engine/optim/optimizer.h"
#include "transfer/fine_tuning.h"
#include "transfer/study.h"

namespace graft {

/// One optimizer for each group of parameters, stepped together. Can be captured as Optimizer can.
class GroupOptimizer {
 public:
  /// Throws Error(usage) for an unknown optimizer, and for clipping or decay towards the start where it cannot be had:
  /// gradients are clipped together, so in one group only; and decay is a part of the gradient in SGD alone.
  GroupOptimizer(const TrainingSettings& settings, std::vector<ParameterGroup> groups);

  /// The schedule's rate; each group gets it times its factor.
  void write_lr(double lr);
  void update(double max_norm);
  void mark_updated();
  const Tensor& step_tensor() const { return groups_.front().optimizer->step_tensor(); }
  /// As Optimizer::state(), of all groups.
  std::vector<NamedVariable> state() const;

 private:
  /// A parameter and minus decay times its first value, which each of its gradients gets.
  struct Pull {
    Variable parameter;
    Tensor offset;
  };
  struct Group {
    std::unique_ptr<Optimizer> optimizer;
    double lr_factor = 1.0;
    std::vector<Pull> pulls;
  };

  std::vector<Group> groups_;
};

}  // namespace graft
