#include "engine/ops/scale_channels.h"

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

Variable scale_channels(const Variable& x, const Variable& s) {
  const Shape& shape = x.shape();
  check(shape.rank() == 4, "[scale_channels] x must be [N, H, W, C], it is {}", shape.str());
  check(s.shape() == Shape{shape[0], shape[3]} && s.dtype() == x.dtype(),
        "[scale_channels] s is {}, for x {} it must be {} [{}, {}]", s.value().str(), x.value().str(),
        name_of(x.dtype()), shape[0], shape[3]);

  Backend& backend = x.backend();
  const Tensor y = backend.empty(shape, x.dtype());

  backend.scale_channels(x.value(), s.value(), y);

  // The gradient of x is made of s, that of s is made of x: what nobody wants is not kept.
  const Tensor kept_x = s.requires_grad() ? x.value() : Tensor();
  const Tensor kept_s = x.requires_grad() ? s.value() : Tensor();
  return record("scale_channels", y, {x, s}, [kept_x, kept_s](const Tensor& dy, std::span<const bool> needs) {
    Backend& device = dy.backend();
    const Tensor dx = needs[0] ? device.empty(dy.shape(), dy.dtype()) : Tensor();
    const Tensor ds = needs[1] ? device.empty({dy.dim(0), dy.dim(3)}, dy.dtype()) : Tensor();
    device.scale_channels_backward(dy, kept_x, kept_s, dx, ds);
    return std::vector<Tensor>{dx, ds};
  });
}

}  // namespace graft
