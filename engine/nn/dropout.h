#pragma once

#include <string>

#include "engine/nn/module.h"
#include "engine/ops/dropout.h"

namespace graft {

/// Dropout: active iff the forward pass is a training one, frozen or not. Its numbers are a function of the context's
/// seed and step, of `stream` and of the element: every dropout of a network needs a stream of its own, such as its
/// full name.
class Dropout : public Module {
 public:
  /// Throws Error(usage) unless 0 <= p < 1.
  Dropout(double p, const std::string& stream);
  Variable forward(const Variable& x, const ForwardContext& context) override;

 private:
  double p_;
  std::uint64_t stream_;
};

}  // namespace graft
