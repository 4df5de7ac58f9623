#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/autograd/named_variable.h"
#include "engine/backend/optim.h"

namespace graft {

/// Updates a group of parameters from their gradients. Frozen parameters are left out when it is made.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One update with learning rate `lr` of all parameters that have a gradient, then their gradients are cleared.
  /// `max_norm` > 0 clips the L2 norm of all gradients together first.
  void step(double lr, double max_norm = 0.0);
  void clear_gradients();
  /// Steps taken so far, as an i64 [1] tensor on the backend.
  const Tensor& step_tensor() const { return step_; }
  /// State tensors by name ("momentum.<parameter>", "step"), for checkpoints.
  virtual std::vector<NamedVariable> state() const = 0;

 protected:
  explicit Optimizer(std::vector<NamedVariable> parameters);
  virtual void update(const Tensor& gradient_scale) = 0;

  std::vector<NamedVariable> parameters_;
  std::vector<Tensor> values_;
  std::vector<Tensor> gradients_;
  Tensor lr_;
  Tensor step_;
};

std::unique_ptr<Optimizer> make_sgd(std::vector<NamedVariable> parameters, const SgdOptions& options);
std::unique_ptr<Optimizer> make_adamw(std::vector<NamedVariable> parameters, const AdamWOptions& options);

}  // namespace graft
