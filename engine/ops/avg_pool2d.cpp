#include "engine/ops/avg_pool2d.h"

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

Variable avg_pool2d(const Variable& x, const Pool2dOptions& options) {
  const Shape y_shape = pool2d_output_shape(x.shape(), options);
  check(options.window.dilation == Extent2d{1, 1}, "[avg_pool2d] dilation is {} x {}, it must be 1",
        options.window.dilation.height, options.window.dilation.width);

  Backend& backend = x.backend();
  const Tensor y = backend.empty(y_shape, x.dtype());

  backend.avg_pool2d_forward(x.value(), options, y);

  return record("avg_pool2d", y, {x}, [options, x_shape = x.shape()](const Tensor& dy, std::span<const bool>) {
    const Tensor dx = dy.backend().empty(x_shape, dy.dtype());
    dy.backend().avg_pool2d_backward(dy, options, dx);
    return std::vector<Tensor>{dx};
  });
}

}  // namespace graft
