#pragma once

#include <cstddef>
#include <span>

#include "engine/tensor/tensor.h"

namespace graft {

struct SgdOptions {
  double momentum = 0.0;
  double weight_decay = 0.0;  ///< added to the gradient: g + weight_decay * p
  bool nesterov = false;
};

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;  ///< decoupled: p *= 1 - lr * weight_decay
};

/// Contracts of optimizer steps over whole parameter groups. All spans have equal length; tensor i of each has one
/// shape; everything is f32 (f64 on the reference). Parameters and state are updated in place; gradients are read only.
/// `lr` [1] and `gradient_scale` [1] (undefined: 1) lie on the backend; each gradient is first multiplied by the scale.
class OptimKernels {
 public:
  virtual ~OptimKernels() = default;

  /// g = scale * grad + weight_decay p; v = momentum v + g; p -= lr (nesterov ? g + momentum v : v). As PyTorch's SGD
  /// with dampening 0 and v starting at zero. `velocity` is empty iff momentum is 0.
  virtual void sgd_step(std::span<const Tensor> parameters, std::span<const Tensor> gradients,
                        std::span<const Tensor> velocity, const Tensor& lr, const Tensor& gradient_scale,
                        const SgdOptions& options) = 0;

  /// AdamW (Loshchilov and Hutter 2019) as in PyTorch; `step` i64 [1] counts from 1.
  virtual void adamw_step(std::span<const Tensor> parameters, std::span<const Tensor> gradients,
                          std::span<const Tensor> first_moment, std::span<const Tensor> second_moment, const Tensor& lr,
                          const Tensor& step, const Tensor& gradient_scale, const AdamWOptions& options) = 0;

  /// scale [1] = min(1, max_norm / (norm + 1e-6)), norm [1] = the L2 norm of all gradients together, as PyTorch's
  /// clip_grad_norm_. `scratch` u8 of clip_scratch_bytes.
  virtual void clip_scale(std::span<const Tensor> gradients, double max_norm, const Tensor& scratch,
                          const Tensor& scale, const Tensor& norm) = 0;
  virtual std::size_t clip_scratch_bytes(std::span<const Tensor> gradients) = 0;

  /// counter [1] i64 += 1: the step number, kept on the backend.
  virtual void advance(const Tensor& counter) = 0;
};

}  // namespace graft
