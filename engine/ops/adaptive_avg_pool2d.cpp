#include "engine/ops/adaptive_avg_pool2d.h"

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

Variable adaptive_avg_pool2d(const Variable& x, Extent2d output) {
  const Shape& shape = x.shape();
  check(shape.rank() == 4, "[adaptive_avg_pool2d] x must be [N, H, W, C], it is {}", shape.str());
  check(output.height >= 1 && output.width >= 1, "[adaptive_avg_pool2d] the output is {} x {}, it must be at least 1",
        output.height, output.width);
  // Every window is one position then, in the same place.
  if (output == Extent2d{shape[1], shape[2]}) return x;

  Backend& backend = x.backend();
  const Tensor y = backend.empty({shape[0], output.height, output.width, shape[3]}, x.dtype());

  backend.adaptive_avg_pool2d_forward(x.value(), y);

  return record("adaptive_avg_pool2d", y, {x}, [x_shape = shape](const Tensor& dy, std::span<const bool>) {
    const Tensor dx = dy.backend().empty(x_shape, dy.dtype());
    dy.backend().adaptive_avg_pool2d_backward(dy, dx);
    return std::vector<Tensor>{dx};
  });
}

}  // namespace graft
