#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/module.h"

namespace graft {

/// Layers one after the other, named "0", "1", ... unless a name is given.
class Sequential : public Module {
 public:
  Sequential() = default;

  template <class M>
  std::shared_ptr<M> add(std::shared_ptr<M> layer) {
    return add(std::to_string(layers_.size()), std::move(layer));
  }
  template <class M>
  std::shared_ptr<M> add(const std::string& name, std::shared_ptr<M> layer) {
    layers_.emplace_back(name, layer);
    return add_module(name, std::move(layer));
  }
  std::size_t size() const { return layers_.size(); }
  /// The layers with their names, in order.
  const std::vector<std::pair<std::string, std::shared_ptr<Module>>>& layers() const { return layers_; }
  Variable forward(const Variable& x, const ForwardContext& context) override;

 private:
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> layers_;
};

}  // namespace graft
