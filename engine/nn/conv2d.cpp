#include "engine/nn/conv2d.h"

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

Conv2d::Conv2d(Backend& backend, const Conv2dConfig& config) : config_(config) {
  const std::int64_t groups = config.options.groups;
  check(groups >= 1 && config.in_channels % groups == 0 && config.out_channels % groups == 0,
        "[conv2d] {} groups do not divide {} input and {} output channels", groups, config.in_channels,
        config.out_channels);
  const Shape shape{config.out_channels, config.kernel.height, config.kernel.width, config.in_channels / groups};
  weight_ = add_parameter("weight", backend.empty(shape, DType::f32));
  if (config.bias) bias_ = add_parameter("bias", backend.empty({config.out_channels}, DType::f32));
}

Variable Conv2d::forward(const Variable& x, const ForwardContext&) {
  return conv2d(x, weight_, bias_, config_.options);
}

}  // namespace graft
