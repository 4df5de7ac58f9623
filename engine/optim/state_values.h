#pragma once

#include <cstddef>
#include <vector>

#include "engine/autograd/variable.h"

namespace graft {

/// The tensors of `state` number `indices`: the state of those parameters that have a gradient in this step.
inline std::vector<Tensor> state_values(const std::vector<Variable>& state, const std::vector<std::size_t>& indices) {
  std::vector<Tensor> result;
  result.reserve(indices.size());
  for (const std::size_t i : indices) result.push_back(state[i].value());
  return result;
}

}  // namespace graft
