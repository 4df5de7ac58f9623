#pragma once

#include <cmath>
#include <cstdint>

#include "engine/backend/contract_check.h"
#include "engine/base/philox.h"
#include "engine/tensor/tensor.h"

namespace graft {

struct DropoutOptions {
  double p = 0.5;         ///< probability of zeroing, 0 <= p < 1
  RandomStream random{};  ///< element i of step s is kept iff uniform_float(random.word(s, i)) >= p

  /// p rounded up to a multiple of 2^-24, as draws are: f32 compares with it exactly as f64 does with p.
  float threshold() const { return static_cast<float>(std::ceil(p * 0x1p24) * 0x1p-24); }
  /// What is kept is multiplied by 1 / (1 - p).
  float keep_scale() const { return static_cast<float>(1.0 / (1.0 - p)); }
};

/// Contracts of elementwise kernels. Unless said otherwise the tensors of a call have one shape and one dtype of f32,
/// bf16 (f64 on the reference), bf16 is computed in f32, and outputs may alias inputs that have the same dtype.
class ElementwiseKernels {
 public:
  virtual ~ElementwiseKernels() = default;

  /// Every element of y, of any dtype, becomes `value`, converted.
  virtual void fill(double value, const Tensor& y) = 0;
  /// y = x converted: between floating dtypes, u8 to floating, and i32/i64 to each other. Must not alias.
  virtual void cast(const Tensor& x, const Tensor& y) = 0;
  /// y = x, byte for byte, any dtype. Must not overlap.
  virtual void copy(const Tensor& x, const Tensor& y) = 0;

  /// y = a + b.
  virtual void add(const Tensor& a, const Tensor& b, const Tensor& y) = 0;
  /// y += x: for autograd and running sums only.
  virtual void accumulate(const Tensor& x, const Tensor& y) = 0;
  /// y = factor x, `factor` f32 [1] (f64 with f64) on the backend.
  virtual void scale(const Tensor& x, const Tensor& factor, const Tensor& y) = 0;

  /// y = max(0, x).
  virtual void relu_forward(const Tensor& x, const Tensor& y) = 0;
  /// dx = dy where y > 0, else 0.
  virtual void relu_backward(const Tensor& dy, const Tensor& y, const Tensor& dx) = 0;

  /// y = x / (1 - p) where kept, else 0; `step` i64 [1]. The same call on dy is the backward.
  virtual void dropout(const Tensor& x, const DropoutOptions& options, const Tensor& step, const Tensor& y) = 0;
  /// Stochastic depth by image (Huang et al. 2016): image n of x [N, ...] times 1 / (1 - p) where element n of the step
  /// would be kept, else 0 whatever x holds; `step` i64 [1]. The same call on dy is the backward.
  virtual void drop_path(const Tensor& x, const DropoutOptions& options, const Tensor& step, const Tensor& y) = 0;

  /// y [N, C, H, W] from x [N, H, W, C]; any dtype; no aliasing.
  virtual void nhwc_to_nchw(const Tensor& x, const Tensor& y) = 0;
  /// y [N, H, W, C] from x [N, C, H, W]; any dtype; no aliasing.
  virtual void nchw_to_nhwc(const Tensor& x, const Tensor& y) = 0;

  /// The parameter-free shortcut of He et al. 2016 (option A): y [N, ceil(H / stride), ceil(W / stride), C2] holds
  /// every stride-th row and column of x [N, H, W, C], its channels placed after (C2 - C) / 2 zeros. C2 >= C. No
  /// aliasing.
  virtual void subsample_pad_forward(const Tensor& x, std::int64_t stride, const Tensor& y) = 0;
  /// dx: dy at the positions that were kept, 0 elsewhere.
  virtual void subsample_pad_backward(const Tensor& dy, std::int64_t stride, const Tensor& dx) = 0;

  /// y[n, h, w, c] = (x[n, h, w, c] / 255 - mean[c]) / deviation[c]. x u8 [N, H, W, C]; mean, deviation f32 [C];
  /// y f32 or bf16 (f64).
  virtual void normalize_images(const Tensor& x, const Tensor& mean, const Tensor& deviation, const Tensor& y) = 0;
};

/// The contract of drop_path as a check.
inline void check_drop_path(const Backend& backend, const Tensor& x, const DropoutOptions& options, const Tensor& step,
                            const Tensor& y) {
  const ContractCheck contract("drop_path", backend);
  contract.floating({"x", x});
  contract.that(x.rank() >= 1, "a tensor of rank 0 has no images");
  contract.value(options.p >= 0.0 && options.p < 1.0, "p", options.p, "in [0, 1)");
  contract.is({"step", step}, {1}, DType::i64);
  contract.is({"y", y}, x.shape(), x.dtype());
  contract.same_or_disjoint({"y", y}, {{"x", x}});
  contract.disjoint({"y", y}, {{"step", step}});
}

/// The contract of subsample_pad as a check: `full` is x or dx, `sampled` is y or dy.
inline void check_subsample_pad(const char* operation, const Backend& backend, NamedTensor full, NamedTensor sampled,
                                std::int64_t stride) {
  const ContractCheck contract(operation, backend);
  contract.floating(full);
  contract.rank(full, 4);
  contract.rank(sampled, 4);
  contract.value(stride >= 1, "stride", static_cast<double>(stride), "at least 1");
  const Shape& shape = full.tensor.shape();
  const std::int64_t channels = sampled.tensor.dim(3);
  contract.that(channels >= shape[3], "the result must have at least as many channels as the input");
  contract.is(sampled, {shape[0], (shape[1] + stride - 1) / stride, (shape[2] + stride - 1) / stride, channels},
              full.tensor.dtype());
  contract.disjoint(sampled, {full});
}

}  // namespace graft
