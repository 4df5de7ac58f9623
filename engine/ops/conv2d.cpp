#include "engine/ops/conv2d.h"

#include <array>

#include "engine/backend/backend.h"
#include "engine/ops/parameter.h"

namespace graft {
namespace {

// What backward needs; each tensor is defined iff some wanted gradient uses it.
struct Saved {
  Tensor x;
  Tensor w;
  Tensor y;  // tells where the fused ReLU cut off
  Shape x_shape;
  Shape w_shape;
  DType w_dtype;
  Conv2dOptions options;
};

Tensor input_gradient(const Saved& saved, const Tensor& dy) {
  Backend& backend = dy.backend();
  const Tensor scratch = backend.scratch(
      backend.conv2d_backward_data_scratch_bytes(saved.x_shape, saved.w_shape, dy.dtype(), saved.options));
  const Tensor dx = backend.empty(saved.x_shape, dy.dtype());
  backend.conv2d_backward_data(dy, saved.w, saved.options, scratch, dx);
  return dx;
}

// dw, and dbias where `bias_needed`.
std::array<Tensor, 2> weight_gradients(const Saved& saved, const Tensor& dy, bool bias_needed) {
  Backend& backend = dy.backend();
  const Tensor scratch = backend.scratch(
      backend.conv2d_backward_weights_scratch_bytes(saved.x_shape, saved.w_shape, dy.dtype(), saved.options));
  const Tensor dw = backend.empty(saved.w_shape, saved.w_dtype);
  const Tensor dbias = bias_needed ? backend.empty({saved.w_shape[0]}, saved.w_dtype) : Tensor();
  backend.conv2d_backward_weights(saved.x, dy, saved.options, scratch, dw, dbias);
  return {dw, dbias};
}

Tensor bias_gradient(const Saved& saved, const Tensor& dy) {
  const Tensor dbias = dy.backend().empty({saved.w_shape[0]}, saved.w_dtype);
  dy.backend().sum_rows(dy, dbias);
  return dbias;
}

std::vector<Tensor> conv2d_backward(const Saved& saved, const Tensor& gradient, std::span<const bool> needs) {
  Tensor dy = gradient;
  if (saved.options.relu) {
    dy = gradient.backend().empty(gradient.shape(), gradient.dtype());
    gradient.backend().relu_backward(gradient, saved.y, dy);
  }
  std::vector<Tensor> result(4);
  if (needs[3]) result[3] = dy;
  if (needs[0]) result[0] = input_gradient(saved, dy);
  if (needs[1]) {
    const auto [dw, dbias] = weight_gradients(saved, dy, needs[2]);
    result[1] = dw;
    result[2] = dbias;
  } else if (needs[2]) {
    result[2] = bias_gradient(saved, dy);
  }
  return result;
}

Tensor value_if_given(const Variable& variable) { return variable.defined() ? variable.value() : Tensor(); }

}  // namespace

Variable conv2d(const Variable& x, const Variable& w, const Variable& bias, const Conv2dOptions& options) {
  return conv2d(x, w, bias, {}, options);
}

Variable conv2d(const Variable& x, const Variable& w, const Variable& bias, const Variable& residual,
                const Conv2dOptions& options) {
  const Shape y_shape = conv2d_output_shape(x.shape(), w.shape(), options);
  check_parameter("conv2d", "weight", w, x.dtype());
  if (bias.defined()) {
    check_parameter("conv2d", "bias", bias, x.dtype());
    check(bias.shape() == Shape{w.shape()[0]}, "[conv2d] bias is {}, weight has {} output channels", bias.shape().str(),
          w.shape()[0]);
  }
  if (residual.defined()) {
    check(residual.shape() == y_shape && residual.dtype() == x.dtype(), "[conv2d] residual is {}, y is {} {}",
          residual.value().str(), name_of(x.dtype()), y_shape.str());
  }

  Backend& backend = x.backend();
  const Tensor y = backend.empty(y_shape, x.dtype());
  const Tensor converted_w = w.value_as(x.dtype());
  {
    const Tensor scratch =
        backend.scratch(backend.conv2d_forward_scratch_bytes(x.shape(), w.shape(), x.dtype(), options));
    backend.conv2d_forward(x.value(), converted_w, value_if_given(bias), value_if_given(residual), options, scratch, y);
  }

  if (!will_record({x, w, bias, residual})) return Variable(y);
  const Saved saved{.x = w.requires_grad() ? x.value() : Tensor(),
                    .w = x.requires_grad() ? converted_w : Tensor(),
                    .y = options.relu ? y : Tensor(),
                    .x_shape = x.shape(),
                    .w_shape = w.shape(),
                    .w_dtype = w.dtype(),
                    .options = options};
  return record("conv2d", y, {x, w, bias, residual},
                [saved](const Tensor& dy, std::span<const bool> needs) { return conv2d_backward(saved, dy, needs); });
}

}  // namespace graft
