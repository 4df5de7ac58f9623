#pragma once

#include <vector>

#include "engine/nn/module.h"

namespace graft {

/// Parameters, then buffers: all that a checkpoint of `module` holds.
inline std::vector<NamedVariable> state_of(const Module& module) {
  std::vector<NamedVariable> state = module.parameters();
  const std::vector<NamedVariable> buffers = module.buffers();
  state.insert(state.end(), buffers.begin(), buffers.end());
  return state;
}

}  // namespace graft
