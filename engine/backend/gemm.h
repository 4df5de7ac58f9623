#pragma once

#include <cstddef>

#include "engine/tensor/tensor.h"

namespace graft {

struct GemmOptions {
  bool transpose_a = false;
  bool transpose_b = false;
  bool relu = false;  ///< C = max(0, op(A) op(B) + bias)
  bool operator==(const GemmOptions&) const = default;
};

/// Contracts of matrix products.
class GemmKernels {
 public:
  virtual ~GemmKernels() = default;

  /// C = op(A) op(B) [+ bias over the columns] [then ReLU], accumulated in f32 or better.
  /// op(A) [M, K] is a [M, K] or, transposed, [K, M]; op(B) [K, N] is b [K, N] or, transposed, [N, K]; c [M, N];
  /// bias [N] or undefined. All of a, b, c may have one more leading dimension of equal extent: a batch.
  /// Dtypes: a and b share f32, bf16 (f64 on the reference); c has theirs or f32; bias is f32 (f64 with f64).
  /// c is overwritten and must not alias. Extents may be 0: an empty sum is 0. `scratch` as in ConvKernels.
  virtual void gemm(const Tensor& a, const Tensor& b, const Tensor& bias, const GemmOptions& options,
                    const Tensor& scratch, const Tensor& c) = 0;
  virtual std::size_t gemm_scratch_bytes(const Shape& a, const Shape& b, DType input, DType output,
                                         const GemmOptions& options) = 0;

  /// y[c] = sum over all leading positions of x[..., c]. x [..., C] f32, bf16 or f64; y [C] f32 (f64 with f64),
  /// overwritten.
  virtual void sum_rows(const Tensor& x, const Tensor& y) = 0;
};

}  // namespace graft
