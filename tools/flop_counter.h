#pragma once

#include <vector>

#include "models/backbone.h"

namespace graft {

/// Floating-point operations of one image's forward pass through a network's convolutions and matrix products, a
/// multiply-add counted as two.
struct ForwardFlops {
  std::vector<double> stages;
  double head = 0.0;
  double state_bytes = 0.0;  ///< of parameters and buffers

  /// Of stages [first, last).
  double between(int first, int last) const;
  double all() const { return between(0, static_cast<int>(stages.size())) + head; }
};

/// Counts by running the network once, without arithmetic.
ForwardFlops count_forward_flops(const BackboneEntry& entry, const BackboneOptions& options);

}  // namespace graft
