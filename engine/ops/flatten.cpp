#include "engine/ops/flatten.h"

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {
namespace {

Variable flatten_by_reshape(const Variable& x, const Shape& y_shape) {
  return record("flatten", x.value().reshape(y_shape), {x},
                [x_shape = x.shape()](const Tensor& dy, std::span<const bool>) {
                  return std::vector<Tensor>{dy.reshape(x_shape)};
                });
}

}  // namespace

Variable flatten(const Variable& x) {
  const Shape& shape = x.shape();
  if (shape.rank() == 2) return x;
  check(shape.rank() == 4, "[flatten] x must be [N, H, W, C], it is {}", shape.str());
  const Shape planes{shape[0], shape[3], shape[1], shape[2]};
  const Shape y_shape{shape[0], shape[3] * shape[1] * shape[2]};
  if (shape[1] * shape[2] == 1 || shape[3] == 1) return flatten_by_reshape(x, y_shape);

  Backend& backend = x.backend();
  const Tensor y = backend.empty(planes, x.dtype());

  backend.nhwc_to_nchw(x.value(), y);

  return record("flatten", y.reshape(y_shape), {x}, [x_shape = shape, planes](const Tensor& dy, std::span<const bool>) {
    const Tensor dx = dy.backend().empty(x_shape, dy.dtype());
    dy.backend().nchw_to_nhwc(dy.reshape(planes), dx);
    return std::vector<Tensor>{dx};
  });
}

}  // namespace graft
