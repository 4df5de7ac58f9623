#pragma once

#include <string>

#include "engine/nn/module.h"
#include "engine/ops/drop_path.h"

namespace graft {

/// Stochastic depth of a residual branch, by image: active iff the forward pass is a training one, frozen or not. Its
/// numbers are a function of the context's seed and step, of `stream` and of the image's place in the batch: every one
/// of a network needs a stream of its own, such as its full name.
class DropPath : public Module {
 public:
  /// Throws Error(usage) unless 0 <= p < 1.
  DropPath(double p, const std::string& stream);
  Variable forward(const Variable& x, const ForwardContext& context) override;

 private:
  double p_;
  std::uint64_t stream_;
};

}  // namespace graft
