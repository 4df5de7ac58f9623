#include "engine/ops/linear.h"

#include "engine/backend/backend.h"
#include "engine/ops/parameter.h"

namespace graft {
namespace {

// What backward needs; each tensor is defined iff some wanted gradient uses it.
struct Saved {
  Tensor x;  // [M, I]
  Tensor w;  // [O, I]
  Tensor y;  // [M, O], tells where the fused ReLU cut off
  Shape x_shape;
  Shape w_shape;
  DType w_dtype;
};

Tensor product(const Tensor& a, const Tensor& b, const Tensor& bias, const GemmOptions& options, const Shape& shape,
               DType dtype) {
  Backend& backend = a.backend();
  const Tensor c = backend.empty(shape, dtype);
  const Tensor scratch = backend.scratch(backend.gemm_scratch_bytes(a.shape(), b.shape(), a.dtype(), dtype, options));
  backend.gemm(a, b, bias, options, scratch, c);
  return c;
}

std::vector<Tensor> linear_backward(const Saved& saved, const Tensor& gradient, std::span<const bool> needs) {
  Backend& backend = gradient.backend();
  const std::int64_t inputs = saved.w_shape[1];
  const std::int64_t outputs = saved.w_shape[0];
  const std::int64_t rows =
      outputs == 0 ? saved.x_shape.numel() / std::max<std::int64_t>(1, inputs) : gradient.numel() / outputs;
  Tensor dy = gradient.reshape({rows, outputs});
  if (saved.y.defined()) {
    const Tensor masked = backend.empty(dy.shape(), dy.dtype());
    backend.relu_backward(dy, saved.y, masked);
    dy = masked;
  }
  std::vector<Tensor> result(3);
  if (needs[0]) result[0] = product(dy, saved.w, {}, {}, {rows, inputs}, dy.dtype()).reshape(saved.x_shape);
  if (needs[1]) result[1] = product(dy, saved.x, {}, {.transpose_a = true}, saved.w_shape, saved.w_dtype);
  if (needs[2]) {
    result[2] = backend.empty({outputs}, saved.w_dtype);
    backend.sum_rows(dy, result[2]);
  }
  return result;
}

// The shape [M, features] of x [..., features].
Shape rows_of(const Shape& x) {
  std::int64_t rows = 1;
  for (int i = 0; i + 1 < x.rank(); ++i) rows *= x[i];
  return {rows, x[-1]};
}

}  // namespace

Variable linear(const Variable& x, const Variable& w, const Variable& bias, bool relu) {
  check(w.shape().rank() == 2, "[linear] weight must be [O, I], it is {}", w.shape().str());
  check(x.shape().rank() >= 1 && x.shape()[-1] == w.shape()[1], "[linear] x is {}, weight has {} input features",
        x.shape().str(), w.shape()[1]);
  check_parameter("linear", "weight", w, x.dtype());
  if (bias.defined()) {
    check_parameter("linear", "bias", bias, x.dtype());
    check(bias.shape() == Shape{w.shape()[0]}, "[linear] bias is {}, weight has {} output features", bias.shape().str(),
          w.shape()[0]);
  }

  const Tensor rows = x.value().reshape(rows_of(x.shape()));
  const Tensor converted_w = w.value_as(x.dtype());
  const Tensor y = product(rows, converted_w, bias.defined() ? bias.value() : Tensor(),
                           {.transpose_b = true, .relu = relu}, {rows.dim(0), w.shape()[0]}, x.dtype());
  std::vector<std::int64_t> dims(x.shape().dims().begin(), x.shape().dims().end());
  dims.back() = w.shape()[0];
  const Tensor shaped_y = y.reshape(Shape(std::span<const std::int64_t>(dims)));

  if (!will_record({x, w, bias})) return Variable(shaped_y);
  const Saved saved{.x = w.requires_grad() ? rows : Tensor(),
                    .w = x.requires_grad() ? converted_w : Tensor(),
                    .y = relu ? y : Tensor(),
                    .x_shape = x.shape(),
                    .w_shape = w.shape(),
                    .w_dtype = w.dtype()};
  return record("linear", shaped_y, {x, w, bias},
                [saved](const Tensor& dy, std::span<const bool> needs) { return linear_backward(saved, dy, needs); });
}

}  // namespace graft
