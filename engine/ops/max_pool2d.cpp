#include "engine/ops/max_pool2d.h"

#include "engine/backend/backend.h"

namespace graft {

Variable max_pool2d(const Variable& x, const Pool2dOptions& options) {
  const Shape y_shape = pool2d_output_shape(x.shape(), options);

  Backend& backend = x.backend();
  const bool recorded = will_record({x});
  const Tensor y = backend.empty(y_shape, x.dtype());
  const Tensor indices = recorded ? backend.empty(y_shape, DType::i32) : Tensor();

  backend.max_pool2d_forward(x.value(), options, y, indices);

  if (!recorded) return Variable(y);
  return record("max_pool2d", y, {x}, [indices, options, x_shape = x.shape()](const Tensor& dy, std::span<const bool>) {
    const Tensor dx = dy.backend().empty(x_shape, dy.dtype());
    dy.backend().max_pool2d_backward(dy, indices, options, dx);
    return std::vector<Tensor>{dx};
  });
}

}  // namespace graft
