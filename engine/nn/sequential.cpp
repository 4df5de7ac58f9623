#include "engine/nn/sequential.h"

namespace graft {

Variable Sequential::forward(const Variable& x, const ForwardContext& context) {
  Variable y = x;
  for (const auto& [name, layer] : layers_) y = layer->forward(y, context);
  return y;
}

}  // namespace graft
