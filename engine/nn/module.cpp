#include "engine/nn/module.h"

#include "engine/base/error.h"

namespace graft {
namespace {

std::string join(const std::string& prefix, const std::string& name) {
  if (prefix.empty() || name.empty()) return prefix + name;
  return prefix + "." + name;
}

}  // namespace

BatchNormPolicy batch_norm_policy_from_name(const std::string& name) {
  for (const auto policy : {BatchNormPolicy::eval, BatchNormPolicy::batch, BatchNormPolicy::update}) {
    if (name == name_of(policy)) return policy;
  }
  fail(ErrorKind::usage, "[batch_norm] policy {} is unknown: choose eval, batch or update", name);
}

const char* name_of(BatchNormPolicy policy) {
  switch (policy) {
    case BatchNormPolicy::eval:
      return "eval";
    case BatchNormPolicy::batch:
      return "batch";
    case BatchNormPolicy::update:
      return "update";
  }
  fail(ErrorKind::failure, "[batch_norm] policy number {} does not exist", static_cast<int>(policy));
}

std::vector<NamedVariable> Module::parameters() const {
  std::vector<NamedVariable> result;
  collect("", false, result);
  return result;
}

std::vector<NamedVariable> Module::buffers() const {
  std::vector<NamedVariable> result;
  collect("", true, result);
  return result;
}

void Module::collect(const std::string& prefix, bool buffers, std::vector<NamedVariable>& into) const {
  for (const auto& [name, variable] : buffers ? own_buffers_ : own_parameters_) {
    into.push_back({join(prefix, name), variable});
  }
  for (const auto& [name, child] : children_) child->collect(join(prefix, name), buffers, into);
}

void Module::for_each_module(const std::function<void(const std::string& prefix, Module&)>& visit) {
  visit_below("", visit);
}

void Module::visit_below(const std::string& prefix,
                         const std::function<void(const std::string& prefix, Module&)>& visit) {
  visit(prefix, *this);
  for (const auto& [name, child] : children_) child->visit_below(join(prefix, name), visit);
}

void Module::set_frozen(bool frozen, BatchNormPolicy policy) {
  for_each_module([frozen, policy](const std::string&, Module& module) {
    module.frozen_ = frozen;
    module.frozen_policy_ = policy;
    for (auto& [name, parameter] : module.own_parameters_) parameter.set_requires_grad(!frozen);
  });
}

void Module::convert(DType dtype) {
  for (auto& [name, parameter] : parameters()) parameter.convert(dtype);
  for (auto& [name, buffer] : buffers()) {
    if (is_floating(buffer.dtype())) buffer.convert(dtype);
  }
}

Variable Module::add_parameter(const std::string& name, Tensor value) {
  own_parameters_.push_back({name, Variable(std::move(value), /*requires_grad=*/!frozen_)});
  return own_parameters_.back().variable;
}

Variable Module::add_buffer(const std::string& name, Tensor value) {
  own_buffers_.push_back({name, Variable(std::move(value))});
  return own_buffers_.back().variable;
}

}  // namespace graft
