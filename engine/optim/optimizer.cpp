#include "engine/optim/optimizer.h"

#include <utility>

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

Optimizer::Optimizer(std::vector<NamedVariable> parameters) {
  for (NamedVariable& parameter : parameters) {
    if (parameter.variable.requires_grad()) parameters_.push_back(std::move(parameter));
  }
  check(!parameters_.empty(), "[optimizer] all of {} parameters are frozen: nothing is left to train",
        parameters.size());
  const Variable& first = parameters_.front().variable;
  for (const auto& [name, variable] : parameters_) {
    check(variable.dtype() == first.dtype(), "[optimizer] {} is {}, {} is {}: a group has one dtype", name,
          name_of(variable.dtype()), parameters_.front().name, name_of(first.dtype()));
  }
  lr_ = first.backend().zeros({1}, first.dtype());
  step_ = Variable(first.backend().zeros({1}, DType::i64));
  state_.push_back({"step", step_});
}

std::vector<Variable> Optimizer::add_state(const std::string& name) {
  std::vector<Variable> result;
  for (const auto& [parameter, variable] : parameters_) {
    result.emplace_back(variable.backend().zeros(variable.shape(), variable.dtype()));
    state_.push_back({name + "." + parameter, result.back()});
  }
  return result;
}

std::vector<NamedVariable> Optimizer::state() const { return state_; }

void Optimizer::step(double lr, double max_norm) {
  write_lr(lr);
  update(max_norm);
}

void Optimizer::update(double max_norm) {
  std::vector<Tensor> values;
  std::vector<Tensor> gradients;
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Variable& parameter = parameters_[i].variable;
    if (!parameter.grad().defined()) continue;
    values.push_back(parameter.value());
    gradients.push_back(parameter.grad());
    indices.push_back(i);
  }
  step_.backend().advance(step_.value());
  step_.mark_changed();
  if (indices.empty()) return;
  launch(values, gradients, indices, max_norm > 0.0 ? clip(gradients, max_norm) : Tensor());
  for (const std::size_t i : indices) parameters_[i].variable.mark_changed();
  clear_gradients();
}

void Optimizer::mark_updated() {
  step_.mark_changed();
  for (auto& [name, variable] : parameters_) variable.mark_changed();
}

void Optimizer::clear_gradients() {
  for (auto& [name, variable] : parameters_) variable.clear_grad();
}

// Copied rather than filled: a captured step reads the rate from memory that is written before each replay.
void Optimizer::write_lr(double lr) {
  if (lr_.dtype() == DType::f64) {
    lr_.backend().copy_from_host(&lr, lr_);
  } else {
    const auto narrow = static_cast<float>(lr);
    lr_.backend().copy_from_host(&narrow, lr_);
  }
}

Tensor Optimizer::clip(const std::vector<Tensor>& gradients, double max_norm) const {
  Backend& backend = lr_.backend();
  const Tensor scale = backend.empty({1}, lr_.dtype());
  const Tensor norm = backend.empty({1}, lr_.dtype());
  const Tensor scratch = backend.scratch(backend.clip_scratch_bytes(gradients));
  backend.clip_scale(gradients, max_norm, scratch, scale, norm);
  return scale;
}

}  // namespace graft
