#include "engine/nn/linear.h"

#include "engine/backend/backend.h"

namespace graft {

Linear::Linear(Backend& backend, const LinearConfig& config) : config_(config) {
  weight_ = add_parameter("weight", backend.empty({config.out_features, config.in_features}, DType::f32));
  if (config.bias) bias_ = add_parameter("bias", backend.empty({config.out_features}, DType::f32));
}

Variable Linear::forward(const Variable& x, const ForwardContext&) { return linear(x, weight_, bias_, config_.relu); }

}  // namespace graft
