#include "engine/ops/relu.h"

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

Variable relu(const Variable& x) {
  check(is_floating(x.dtype()), "[relu] x is {}, it must be of a floating dtype", x.value().str());

  Backend& backend = x.backend();
  const Tensor y = backend.empty(x.shape(), x.dtype());

  backend.relu_forward(x.value(), y);

  return record("relu", y, {x}, [y](const Tensor& dy, std::span<const bool>) {
    const Tensor dx = dy.backend().empty(dy.shape(), dy.dtype());
    dy.backend().relu_backward(dy, y, dx);
    return std::vector<Tensor>{dx};
  });
}

}  // namespace graft
