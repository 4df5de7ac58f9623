#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/nn/module.h"

namespace graft {

/// Fills parameters and buffers with initial values that are a function of (seed, role, full parameter name, index)
/// alone, the same on every backend: weights of rank 2 and more He normal with fan-in (He et al. 2015: deviation sqrt(2
/// / fan_in)), other "weight"s one, biases zero, running_mean zero, running_var one, num_batches_tracked zero. `role`
/// is one of DESIGN's roles: "base-source", "base-target", "retrained", "random-frozen", or any other word.
void initialize(const std::vector<NamedVariable>& variables, std::uint64_t seed, const std::string& role);

}  // namespace graft
