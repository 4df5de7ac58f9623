#include "engine/ops/global_avg_pool.h"

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

Variable global_avg_pool(const Variable& x) {
  check(x.shape().rank() == 4, "[global_avg_pool] x must be [N, H, W, C], it is {}", x.shape().str());

  Backend& backend = x.backend();
  const Tensor y = backend.empty({x.shape()[0], x.shape()[3]}, x.dtype());

  backend.global_avg_pool_forward(x.value(), y);

  return record("global_avg_pool", y, {x}, [x_shape = x.shape()](const Tensor& dy, std::span<const bool>) {
    const Tensor dx = dy.backend().empty(x_shape, dy.dtype());
    dy.backend().global_avg_pool_backward(dy, dx);
    return std::vector<Tensor>{dx};
  });
}

}  // namespace graft
