#pragma once

#include <cstddef>
#include <limits>

#include "engine/tensor/tensor.h"

namespace graft {

struct BatchNormOptions {
  double eps = 1e-5;
  double momentum = 0.1;  ///< weight of the new batch in the running statistics, as in PyTorch
  bool relu = false;      ///< y = max(0, normalised + residual)
  bool relu6 = false;     ///< y = min(6, max(0, normalised + residual)); not both (Howard et al. 2017)

  bool rectifies() const { return relu || relu6; }
  /// Where y ends, and is flat from there on. NaN is kept.
  double ceiling() const { return relu6 ? 6.0 : std::numeric_limits<double>::infinity(); }
};

/// Contracts of batch normalisation over the last dimension (Ioffe and Szegedy 2015), fused with an optional residual
/// and an optional ReLU or ReLU6: y = act(scale (x - mean) / sqrt(var + eps) + shift [+ residual]).
///
/// x, y, dx, dy, residual, dresidual [..., C] share one of f32, bf16 (f64 on the reference). Everything else is [C] in
/// f32 (f64 with f64). Batch variance is the biased one, by a numerically stable reduction; the running variance takes
/// the unbiased one (of a single row: the biased). Outputs are overwritten; running statistics are updated in place. y
/// may alias x or residual; dx may alias dy; nothing else aliases.
class NormKernels {
 public:
  virtual ~NormKernels() = default;

  /// Normalises by the statistics of the batch and saves them for backward: mean and inverse deviation
  /// 1 / sqrt(var + eps). `running_mean` and `running_var` are updated where defined, both or neither.
  /// Zero rows: y is empty, mean and inverse deviation are 0, running statistics stay.
  virtual void batch_norm_train(const Tensor& x, const Tensor& residual, const Tensor& scale, const Tensor& shift,
                                const BatchNormOptions& options, const Tensor& running_mean, const Tensor& running_var,
                                const Tensor& scratch, const Tensor& y, const Tensor& mean,
                                const Tensor& inverse_deviation) = 0;
  /// Scratch of batch_norm_train and batch_norm_backward alike.
  virtual std::size_t batch_norm_scratch_bytes(const Shape& x, DType dtype) = 0;

  /// Normalises by given statistics (evaluation, frozen layers). No output but y.
  virtual void batch_norm_eval(const Tensor& x, const Tensor& residual, const Tensor& scale, const Tensor& shift,
                               const Tensor& mean, const Tensor& var, const BatchNormOptions& options,
                               const Tensor& y) = 0;

  /// Gradients of batch_norm_train. `y` is its output where options.rectifies(), else undefined. dx is required;
  /// dresidual (dy where 0 < y < ceiling, else 0) and the pair dscale, dshift are written where defined.
  virtual void batch_norm_train_backward(const Tensor& dy, const Tensor& x, const Tensor& y, const Tensor& scale,
                                         const Tensor& mean, const Tensor& inverse_deviation,
                                         const BatchNormOptions& options, const Tensor& scratch, const Tensor& dx,
                                         const Tensor& dresidual, const Tensor& dscale, const Tensor& dshift) = 0;

  /// Gradients of batch_norm_eval: the statistics are constants. dx, dresidual and the pair dscale, dshift are written
  /// where defined.
  virtual void batch_norm_eval_backward(const Tensor& dy, const Tensor& x, const Tensor& y, const Tensor& scale,
                                        const Tensor& mean, const Tensor& var, const BatchNormOptions& options,
                                        const Tensor& scratch, const Tensor& dx, const Tensor& dresidual,
                                        const Tensor& dscale, const Tensor& dshift) = 0;
};

}  // namespace graft
