#pragma once

#include <string>

#include "engine/autograd/variable.h"

namespace graft {

/// A named tensor of a module: a parameter (trained) or a buffer (running statistics; never requires a gradient).
struct NamedVariable {
  std::string name;  ///< full dotted name, as in a public state_dict: "layer1.0.conv1.weight"
  Variable variable;
};

}  // namespace graft
