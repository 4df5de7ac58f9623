#include "transfer/group_optimizer.h"

#include <utility>

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {
namespace {

std::unique_ptr<Optimizer> make_optimizer(const TrainingSettings& settings, double weight_decay,
                                          std::vector<NamedVariable> parameters) {
  if (settings.optimizer == "sgd") {
    return make_sgd(std::move(parameters),
                    {.momentum = settings.momentum, .weight_decay = weight_decay, .nesterov = settings.nesterov});
  }
  if (settings.optimizer == "adamw") return make_adamw(std::move(parameters), {.weight_decay = weight_decay});
  fail(ErrorKind::usage, "training.optimizer '{}' is not known: use sgd or adamw", settings.optimizer);
}

/// -decay times the value that the parameter has now.
Tensor offset_of(const Variable& parameter, double decay) {
  Backend& backend = parameter.backend();
  std::vector<float> values(static_cast<std::size_t>(parameter.value().numel()));
  backend.copy_to_host(parameter.value(), values.data());
  for (float& value : values) value *= static_cast<float>(-decay);
  const Tensor offset = backend.empty(parameter.shape(), DType::f32);
  backend.copy_from_host(values.data(), offset);
  return offset;
}

}  // namespace

GroupOptimizer::GroupOptimizer(const TrainingSettings& settings, std::vector<ParameterGroup> groups) {
  if (groups.size() > 1 && settings.clip_norm > 0.0) {
    fail(ErrorKind::usage, "training.clip_norm clips all gradients together, this policy updates {} groups: drop one",
         groups.size());
  }
  for (ParameterGroup& group : groups) {
    const bool drawn = group.decay_to_start > 0.0;
    if (drawn && settings.optimizer != "sgd") {
      fail(ErrorKind::usage, "fine-tuning l2-sp needs training.optimizer sgd, it is {}", settings.optimizer);
    }
    std::vector<Pull> pulls;
    for (const NamedVariable& named : group.parameters) {
      if (drawn) pulls.push_back({named.variable, offset_of(named.variable, group.decay_to_start)});
    }
    const double decay = drawn ? group.decay_to_start : settings.weight_decay;
    groups_.push_back(
        {make_optimizer(settings, decay, std::move(group.parameters)), group.lr_factor, std::move(pulls)});
  }
}

void GroupOptimizer::write_lr(double lr) {
  for (Group& group : groups_) group.optimizer->write_lr(lr * group.lr_factor);
}

void GroupOptimizer::update(double max_norm) {
  for (Group& group : groups_) {
    for (const Pull& pull : group.pulls) {
      if (pull.parameter.grad().defined()) pull.parameter.backend().accumulate(pull.offset, pull.parameter.grad());
    }
    group.optimizer->update(max_norm);
  }
}

void GroupOptimizer::mark_updated() {
  for (Group& group : groups_) group.optimizer->mark_updated();
}

std::vector<NamedVariable> GroupOptimizer::state() const {
  std::vector<NamedVariable> all = groups_.front().optimizer->state();
  for (std::size_t i = 1; i < groups_.size(); ++i) {
    for (const NamedVariable& named : groups_[i].optimizer->state()) {
      if (named.name != "step") all.push_back(named);  // groups step together: the first one's count is everyone's
    }
  }
  return all;
}

}  // namespace graft
