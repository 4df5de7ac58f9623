#pragma once

#include <cstdint>

#include "engine/backend/window.h"
#include "engine/tensor/tensor.h"

namespace graft {

struct Pool2dOptions {
  Extent2d kernel{2, 2};
  Window2d window{.stride = {2, 2}};
  bool count_include_pad = true;  ///< average pooling: divide by the whole window, as PyTorch does by default
  bool operator==(const Pool2dOptions&) const = default;
};

/// Shape of y for x [N, H, W, C]. Throws Error("[pool2d] ...") if x is not of rank 4 or the padding exceeds half the
/// kernel.
Shape pool2d_output_shape(const Shape& x, const Pool2dOptions& options);

/// Contracts of pooling. x, dx [N, H, W, C], y, dy [N, OH, OW, C], one dtype of f32, bf16 (f64 on the reference).
/// Outputs are overwritten and do not alias inputs.
class PoolKernels {
 public:
  virtual ~PoolKernels() = default;

  /// y = the window's maximum; padding never wins, NaN always does. `indices` i32 [N, OH, OW, C], where defined:
  /// h * W + w of the first maximum in row-major order.
  virtual void max_pool2d_forward(const Tensor& x, const Pool2dOptions& options, const Tensor& y,
                                  const Tensor& indices) = 0;
  /// dx = dy summed over the windows that chose each position.
  virtual void max_pool2d_backward(const Tensor& dy, const Tensor& indices, const Pool2dOptions& options,
                                   const Tensor& dx) = 0;

  /// y = the window's mean. Dilation must be 1.
  virtual void avg_pool2d_forward(const Tensor& x, const Pool2dOptions& options, const Tensor& y) = 0;
  virtual void avg_pool2d_backward(const Tensor& dy, const Pool2dOptions& options, const Tensor& dx) = 0;

  /// y [N, C] = the mean over each image of x [N, H, W, C].
  virtual void global_avg_pool_forward(const Tensor& x, const Tensor& y) = 0;
  /// dx [N, H, W, C] = dy [N, C] / (H W).
  virtual void global_avg_pool_backward(const Tensor& dy, const Tensor& dx) = 0;

  /// y [N, OH, OW, C], OH and OW at least 1: row i is the mean of the rows of x from floor(i H / OH) to before
  /// ceil((i + 1) H / OH), columns likewise (PyTorch's windows); 0 where the image has no extent.
  virtual void adaptive_avg_pool2d_forward(const Tensor& x, const Tensor& y) = 0;
  /// dx = the sum of dy over the windows that see a position, each divided by its size.
  virtual void adaptive_avg_pool2d_backward(const Tensor& dy, const Tensor& dx) = 0;
};

}  // namespace graft
