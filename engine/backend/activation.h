#pragma once

#include "engine/backend/activation_function.h"
#include "engine/backend/contract_check.h"
#include "engine/tensor/tensor.h"

namespace graft {

/// Contracts of activations other than ReLU, which stands on elementwise.h. The tensors of a call have one shape and
/// one dtype of f32, bf16 (f64 on the reference); bf16 is computed in f32. y may alias x, and dx may alias dy or x.
class ActivationKernels {
 public:
  virtual ~ActivationKernels() = default;

  /// y = activation(x). silu(-inf) is NaN, as the product -inf * 0 is.
  virtual void activation_forward(Activation activation, const Tensor& x, const Tensor& y) = 0;
  /// dx = dy activation'(x). relu6: dy where 0 < x < 6, else 0. With s = sigmoid(x), sigmoid: dy s (1 - s), silu:
  /// dy s (1 + x (1 - s)), both without cancellation in 1 - s; silu at an infinite x is NaN.
  virtual void activation_backward(Activation activation, const Tensor& x, const Tensor& dy, const Tensor& dx) = 0;
};

/// The contract of activation_forward as a check.
inline void check_activation_forward(const Backend& backend, const Tensor& x, const Tensor& y) {
  const ContractCheck contract("activation", backend);
  contract.floating({"x", x});
  contract.is({"y", y}, x.shape(), x.dtype());
  contract.same_or_disjoint({"y", y}, {{"x", x}});
}

/// The contract of activation_backward as a check.
inline void check_activation_backward(const Backend& backend, const Tensor& x, const Tensor& dy, const Tensor& dx) {
  const ContractCheck contract("activation_backward", backend);
  contract.floating({"x", x});
  contract.is({"dy", dy}, x.shape(), x.dtype());
  contract.is({"dx", dx}, x.shape(), x.dtype());
  contract.same_or_disjoint({"dx", dx}, {{"dy", dy}, {"x", x}});
}

}  // namespace graft
