#include "engine/ops/subsample_pad.h"

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

Variable subsample_pad(const Variable& x, std::int64_t stride, std::int64_t channels) {
  const Shape& shape = x.shape();
  check(shape.rank() == 4, "[subsample_pad] x must be [N, H, W, C], it is {}", shape.str());
  check(stride >= 1, "[subsample_pad] stride is {}, it must be at least 1", stride);
  check(channels >= shape[3], "[subsample_pad] x has {} channels, they do not fit into {}", shape[3], channels);

  Backend& backend = x.backend();
  const Shape y_shape{shape[0], (shape[1] + stride - 1) / stride, (shape[2] + stride - 1) / stride, channels};
  const Tensor y = backend.empty(y_shape, x.dtype());

  backend.subsample_pad_forward(x.value(), stride, y);

  return record("subsample_pad", y, {x}, [stride, x_shape = shape](const Tensor& dy, std::span<const bool>) {
    const Tensor dx = dy.backend().empty(x_shape, dy.dtype());
    dy.backend().subsample_pad_backward(dy, stride, dx);
    return std::vector<Tensor>{dx};
  });
}

}  // namespace graft
