#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/autograd/named_variable.h"

namespace graft {

/// Which statistics a frozen batch norm uses. eval: its running ones, untouched (default). batch: the batch's, running
/// ones untouched. update: the batch's, and running ones are updated.
enum class BatchNormPolicy { eval, batch, update };

/// "eval", "batch" or "update"; throws Error(usage) naming the three.
BatchNormPolicy batch_norm_policy_from_name(const std::string& name);
const char* name_of(BatchNormPolicy policy);

/// What a forward pass needs to know beside its input: no module holds hidden state.
struct ForwardContext {
  bool training = false;
  Tensor step{};  ///< i64 [1] on the backend: the step number that keys dropout; needed iff training with dropout
  std::uint64_t seed = 0;  ///< keys dropout
};

/// A layer or a network: owns named parameters, buffers and children. Names are joined by dots; a child registered as
/// "" adds no prefix. Copying is forbidden; clone by building anew and loading.
class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  virtual Variable forward(const Variable& x, const ForwardContext& context) = 0;

  /// In order of registration, depth first: the order of torchvision's state_dict.
  std::vector<NamedVariable> parameters() const;
  std::vector<NamedVariable> buffers() const;
  /// Calls visit(prefix, module) on this module and all below it.
  void for_each_module(const std::function<void(const std::string& prefix, Module&)>& visit);

  /// Freezes (or thaws) every parameter below and sets what frozen batch norms below do.
  void set_frozen(bool frozen, BatchNormPolicy policy = BatchNormPolicy::eval);
  /// Converts every parameter and floating buffer below: f64 gives a reference network on the reference backend.
  void convert(DType dtype);
  bool frozen() const { return frozen_; }
  BatchNormPolicy frozen_policy() const { return frozen_policy_; }

 protected:
  Variable add_parameter(const std::string& name, Tensor value);
  Variable add_buffer(const std::string& name, Tensor value);
  template <class M>
  std::shared_ptr<M> add_module(const std::string& name, std::shared_ptr<M> module) {
    children_.emplace_back(name, module);
    return module;
  }

 private:
  void visit_below(const std::string& prefix, const std::function<void(const std::string& prefix, Module&)>& visit);
  void collect(const std::string& prefix, bool buffers, std::vector<NamedVariable>& into) const;

  std::vector<NamedVariable> own_parameters_;
  std::vector<NamedVariable> own_buffers_;
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> children_;
  bool frozen_ = false;
  BatchNormPolicy frozen_policy_ = BatchNormPolicy::eval;
};

}  // namespace graft
