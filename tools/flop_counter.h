#pragma once

#include <vector>

#include "models/backbone.h"

namespace graft {

/// Floating-point operations of one image's forward pass through a network's convolutions and matrix products, a
/// multiply-add counted as two.
struct ForwardFlops {
  std::vector<double> stages;
  double head = 0.0;
  std::vector<double> features;     ///< channels of what each stage gives
  std::vector<double> stage_bytes;  ///< of parameters and buffers
  double state_bytes = 0.0;         ///< likewise, of all

  /// Of stages [first, last).
  double between(int first, int last) const;
  double all() const { return between(0, static_cast<int>(stages.size())) + head; }
  /// Of a linear probe's head after the first `cut` stages.
  double probe_head(int cut, double classes) const {
    return 2.0 * features[static_cast<std::size_t>(cut) - 1] * classes;
  }
};

/// Counts by running the network once, without arithmetic.
ForwardFlops count_forward_flops(const BackboneEntry& entry, const BackboneOptions& options);

}  // namespace graft
