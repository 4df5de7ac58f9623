#include "engine/ops/activation.h"

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

namespace {

Variable activation(const char* name, Activation function, const Variable& x) {
  check(is_floating(x.dtype()), "[{}] x is {}, it must be of a floating dtype", name, x.value().str());

  Backend& backend = x.backend();
  const Tensor y = backend.empty(x.shape(), x.dtype());

  backend.activation_forward(function, x.value(), y);

  return record(name, y, {x}, [function, input = x.value()](const Tensor& dy, std::span<const bool>) {
    const Tensor dx = dy.backend().empty(dy.shape(), dy.dtype());
    dy.backend().activation_backward(function, input, dy, dx);
    return std::vector<Tensor>{dx};
  });
}

}  // namespace

Variable relu6(const Variable& x) { return activation("relu6", Activation::relu6, x); }
Variable silu(const Variable& x) { return activation("silu", Activation::silu, x); }
Variable sigmoid(const Variable& x) { return activation("sigmoid", Activation::sigmoid, x); }

}  // namespace graft
