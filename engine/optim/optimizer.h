#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "engine/autograd/named_variable.h"
#include "engine/backend/optim.h"

namespace graft {

/// Updates a group of parameters from their gradients. Frozen parameters are left out when it is made. Parameters are
/// all f32 or, on the reference backend, all f64.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One update with learning rate `lr` of all parameters that have a gradient, then their gradients are cleared.
  /// `max_norm` > 0 clips the L2 norm of all gradients together first.
  void step(double lr, double max_norm = 0.0);
  /// The two parts of step(): the rate goes to the backend, then the kernels update. The second part can be captured
  /// (Backend::capture); after a replay of it mark_updated() tells the variables that their values have changed.
  void write_lr(double lr);
  void update(double max_norm);
  void mark_updated();
  void clear_gradients();
  /// Steps taken so far, as an i64 [1] tensor on the backend.
  const Tensor& step_tensor() const { return step_.value(); }
  /// State by name ("step" and, under the names that PyTorch gives them, "momentum_buffer.<parameter>" or
  /// "exp_avg.<parameter>" and "exp_avg_sq.<parameter>"), for checkpoints: to go on from one, write into these
  /// variables or set their values.
  std::vector<NamedVariable> state() const;

 protected:
  explicit Optimizer(std::vector<NamedVariable> parameters);
  /// One launch over `values` from `gradients`, which are parameters number `indices`.
  virtual void launch(const std::vector<Tensor>& values, const std::vector<Tensor>& gradients,
                      const std::vector<std::size_t>& indices, const Tensor& gradient_scale) = 0;
  /// Zeros like each parameter, kept and named in state() as "<name>.<parameter>".
  std::vector<Variable> add_state(const std::string& name);
  const Tensor& lr() const { return lr_; }

 private:
  Tensor clip(const std::vector<Tensor>& gradients, double max_norm) const;

  std::vector<NamedVariable> parameters_;
  std::vector<NamedVariable> state_;
  Tensor lr_;
  Variable step_;
};

/// Stochastic gradient descent as PyTorch's SGD.
std::unique_ptr<Optimizer> make_sgd(std::vector<NamedVariable> parameters, const SgdOptions& options);
/// AdamW as PyTorch's; the bias correction counts the steps of the whole group.
std::unique_ptr<Optimizer> make_adamw(std::vector<NamedVariable> parameters, const AdamWOptions& options);

}  // namespace graft
