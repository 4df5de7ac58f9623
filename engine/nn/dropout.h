#pragma once

#include <string>

#include "engine/nn/module.h"
#include "engine/ops/drop_path.h"
#include "engine/ops/dropout.h"

namespace graft {

/// A layer that drops at random: active iff the forward pass is a training one, frozen or not. Its numbers are a
/// function of the context's seed and step, of `stream` and of the place: every one of a network needs a stream of its
/// own, such as its full name.
class RandomDrop : public Module {
 public:
  Variable forward(const Variable& x, const ForwardContext& context) override;
  /// The probability with which something is dropped: at 0 the layer is the identity.
  double p() const { return p_; }

 protected:
  using Operation = Variable (*)(const Variable&, const DropoutOptions&, const Tensor&);
  /// Throws Error(usage) "[NAME] ..." unless 0 <= p < 1.
  RandomDrop(const std::string& name, Operation operation, double p, const std::string& stream);

 private:
  Operation operation_;
  double p_;
  std::uint64_t stream_;
};

/// Dropout, by element.
class Dropout : public RandomDrop {
 public:
  Dropout(double p, const std::string& stream) : RandomDrop("dropout", dropout, p, stream) {}
};

/// Stochastic depth of a residual branch, by image.
class DropPath : public RandomDrop {
 public:
  DropPath(double p, const std::string& stream) : RandomDrop("drop_path", drop_path, p, stream) {}
};

}  // namespace graft
