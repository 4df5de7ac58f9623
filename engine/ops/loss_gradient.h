#pragma once

#include <functional>
#include <span>
#include <vector>

#include "engine/backend/backend.h"

namespace graft {

/// The backward of a loss whose gradient was computed in the forward pass: dlogits, times the loss's own gradient where
/// that is not the implicit one.
inline std::function<std::vector<Tensor>(const Tensor&, std::span<const bool>)> scaled_gradient(const Tensor& dlogits) {
  return [dlogits](const Tensor& dloss, std::span<const bool>) {
    if (!dloss.defined()) return std::vector<Tensor>{dlogits};
    const Tensor scaled = dlogits.backend().empty(dlogits.shape(), dlogits.dtype());
    dlogits.backend().scale(dlogits, dloss, scaled);
    return std::vector<Tensor>{scaled};
  };
}

}  // namespace graft
