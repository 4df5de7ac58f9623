#pragma once

#include <cstdint>
#include <memory>

#include "engine/base/shape.h"
#include "models/backbone.h"

namespace graft {

/// What a linear probe is made of.
struct LinearProbeOptions {
  int cut = 1;               ///< leading stages of the backbone in front of it
  Shape image{};             ///< [H, W, C] of its inputs
  std::int64_t classes = 2;  ///< that it tells apart
};

/// A linear probe (Alain and Bengio 2016, "Understanding intermediate layers using linear classifier probes"): the
/// first `cut` stages of `backbone`, which it shares under their names, then a stage "pool" without parameters (the
/// mean over each image of [N, H, W, C]; [N, C] as it is), and as head one linear classifier, probe.weight and
/// probe.bias. Cut after its last stage, what stands in front of the head is [N, C]. The backbone's parameters need not
/// have values: those of the stages are overwritten with zeros to see what shape they give.
std::shared_ptr<Backbone> make_linear_probe(const Backbone& backbone, Backend& backend,
                                            const LinearProbeOptions& options);

}  // namespace graft
