#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/backend/window.h"
#include "engine/tensor/tensor.h"

namespace graft {

/// What a convolution is, beside its tensors' shapes.
struct Conv2dOptions {
  Window2d window{};
  std::int64_t groups = 1;  ///< divides both channel counts; groups == input channels is depthwise
  bool relu = false;        ///< forward only: y = max(0, conv(x, w) + bias + residual)
  bool operator==(const Conv2dOptions&) const = default;
};

/// Shape of y for x [N, H, W, C] and w [O, KH, KW, C / groups]. Throws Error("[conv2d] ...") if they do not fit.
Shape conv2d_output_shape(const Shape& x, const Shape& w, const Conv2dOptions& options);

/// Contracts of two-dimensional convolution (cross-correlation, as in all deep-learning software).
///
/// Shapes: x, dx [N, H, W, C]; w, dw [O, KH, KW, C / groups]; y, dy [N, OH, OW, O]; bias, dbias [O].
/// Dtypes: x, w, y, dx, dy share one of f32, bf16 (f64 on the reference); bias, dw, dbias are f32 (f64 with f64).
/// Sums are accumulated in f32 or better. Outputs are overwritten and must not alias inputs, but for forward's
/// residual. Any extent may be 0: an empty sum is 0. `scratch` is u8 of at least the ..._scratch_bytes of the same
/// shapes, undefined where that is 0.
class ConvKernels {
 public:
  virtual ~ConvKernels() = default;

  /// y = conv(x, w) [+ bias] [+ residual] [then ReLU], rounded once; `bias` and `residual` may be undefined. `residual`
  /// has y's shape and dtype. y may be `residual`: then the sum goes on in place.
  virtual void conv2d_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const Tensor& residual,
                              const Conv2dOptions& options, const Tensor& scratch, const Tensor& y) = 0;
  /// Enough with a bias and a residual and without.
  virtual std::size_t conv2d_forward_scratch_bytes(const Shape& x, const Shape& w, DType dtype,
                                                   const Conv2dOptions& options) = 0;

  /// dx from dy. `options.relu` is ignored: the caller has masked dy.
  virtual void conv2d_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                                    const Tensor& scratch, const Tensor& dx) = 0;
  virtual std::size_t conv2d_backward_data_scratch_bytes(const Shape& x, const Shape& w, DType dtype,
                                                         const Conv2dOptions& options) = 0;

  /// dw, and dbias where defined, from x and dy. `options.relu` is ignored: the caller has masked dy.
  virtual void conv2d_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options,
                                       const Tensor& scratch, const Tensor& dw, const Tensor& dbias) = 0;
  virtual std::size_t conv2d_backward_weights_scratch_bytes(const Shape& x, const Shape& w, DType dtype,
                                                            const Conv2dOptions& options) = 0;
};

}  // namespace graft
