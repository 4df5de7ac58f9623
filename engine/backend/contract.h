#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/backend/backend.h"

namespace graft {

// The contracts of engine/backend's pages as checks, one function a kernel, for every backend to call first: shapes,
// dtypes, owners and aliasing. Each throws Error("[operation] ..."). What only the device can see (labels in range) is
// not checked here, nor is the size of scratch, which differs from backend to backend: see check_scratch.

/// `scratch` is u8 of `backend` and has at least `bytes` bytes; it may be undefined if `bytes` is 0.
void check_scratch(const char* operation, const Backend& backend, const Tensor& scratch, std::size_t bytes);

void check_conv2d_forward(const Backend& backend, const Tensor& x, const Tensor& w, const Tensor& bias,
                          const Tensor& residual, const Conv2dOptions& options, const Tensor& scratch, const Tensor& y);
void check_conv2d_backward_data(const Backend& backend, const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                                const Tensor& scratch, const Tensor& dx);
void check_conv2d_backward_weights(const Backend& backend, const Tensor& x, const Tensor& dy,
                                   const Conv2dOptions& options, const Tensor& scratch, const Tensor& dw,
                                   const Tensor& dbias);

/// Extents of a matrix product; `batch` is 1 for plain matrices.
struct GemmExtents {
  std::int64_t batch = 1;
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
};
/// Throws Error("[gemm] ...") if the shapes do not fit.
GemmExtents gemm_extents(const Shape& a, const Shape& b, const GemmOptions& options);
GemmExtents check_gemm(const Backend& backend, const Tensor& a, const Tensor& b, const Tensor& bias,
                       const GemmOptions& options, const Tensor& scratch, const Tensor& c);
void check_sum_rows(const Backend& backend, const Tensor& x, const Tensor& y);

void check_batch_norm_train(const Backend& backend, const Tensor& x, const Tensor& residual, const Tensor& scale,
                            const Tensor& shift, const BatchNormOptions& options, const Tensor& running_mean,
                            const Tensor& running_var, const Tensor& scratch, const Tensor& y, const Tensor& mean,
                            const Tensor& inverse_deviation);
void check_batch_norm_eval(const Backend& backend, const Tensor& x, const Tensor& residual, const Tensor& scale,
                           const Tensor& shift, const Tensor& mean, const Tensor& var, const BatchNormOptions& options,
                           const Tensor& y);
void check_batch_norm_train_backward(const Backend& backend, const Tensor& dy, const Tensor& x, const Tensor& y,
                                     const Tensor& scale, const Tensor& mean, const Tensor& inverse_deviation,
                                     const BatchNormOptions& options, const Tensor& scratch, const Tensor& dx,
                                     const Tensor& dresidual, const Tensor& dscale, const Tensor& dshift);
void check_batch_norm_eval_backward(const Backend& backend, const Tensor& dy, const Tensor& x, const Tensor& y,
                                    const Tensor& scale, const Tensor& mean, const Tensor& var,
                                    const BatchNormOptions& options, const Tensor& scratch, const Tensor& dx,
                                    const Tensor& dresidual, const Tensor& dscale, const Tensor& dshift);

void check_max_pool2d_forward(const Backend& backend, const Tensor& x, const Pool2dOptions& options, const Tensor& y,
                              const Tensor& indices);
void check_max_pool2d_backward(const Backend& backend, const Tensor& dy, const Tensor& indices,
                               const Pool2dOptions& options, const Tensor& dx);
void check_avg_pool2d_forward(const Backend& backend, const Tensor& x, const Pool2dOptions& options, const Tensor& y);
void check_avg_pool2d_backward(const Backend& backend, const Tensor& dy, const Pool2dOptions& options,
                               const Tensor& dx);
void check_global_avg_pool_forward(const Backend& backend, const Tensor& x, const Tensor& y);
void check_global_avg_pool_backward(const Backend& backend, const Tensor& dy, const Tensor& dx);
void check_adaptive_avg_pool2d_forward(const Backend& backend, const Tensor& x, const Tensor& y);
void check_adaptive_avg_pool2d_backward(const Backend& backend, const Tensor& dy, const Tensor& dx);

void check_fill(const Backend& backend, const Tensor& y);
void check_cast(const Backend& backend, const Tensor& x, const Tensor& y);
void check_copy(const Backend& backend, const Tensor& x, const Tensor& y);
void check_add(const Backend& backend, const Tensor& a, const Tensor& b, const Tensor& y);
void check_accumulate(const Backend& backend, const Tensor& x, const Tensor& y);
void check_scale(const Backend& backend, const Tensor& x, const Tensor& factor, const Tensor& y);
void check_relu_forward(const Backend& backend, const Tensor& x, const Tensor& y);
void check_relu_backward(const Backend& backend, const Tensor& dy, const Tensor& y, const Tensor& dx);
void check_dropout(const Backend& backend, const Tensor& x, const DropoutOptions& options, const Tensor& step,
                   const Tensor& y);
void check_nhwc_to_nchw(const Backend& backend, const Tensor& x, const Tensor& y);
void check_nchw_to_nhwc(const Backend& backend, const Tensor& x, const Tensor& y);
void check_normalize_images(const Backend& backend, const Tensor& x, const Tensor& mean, const Tensor& deviation,
                            const Tensor& y);

void check_softmax_cross_entropy(const Backend& backend, const Tensor& logits, const Tensor& labels,
                                 double label_smoothing, const Tensor& loss, const Tensor& dlogits);
void check_sigmoid_cross_entropy(const Backend& backend, const Tensor& logits, const Tensor& targets,
                                 const Tensor& loss, const Tensor& dlogits);
void check_count_correct(const Backend& backend, const Tensor& logits, const Tensor& labels, std::int64_t k,
                         const Tensor& count);

void check_sgd_step(const Backend& backend, std::span<const Tensor> parameters, std::span<const Tensor> gradients,
                    std::span<const Tensor> velocity, const Tensor& lr, const Tensor& gradient_scale,
                    const SgdOptions& options);
void check_adamw_step(const Backend& backend, std::span<const Tensor> parameters, std::span<const Tensor> gradients,
                      std::span<const Tensor> first_moment, std::span<const Tensor> second_moment, const Tensor& lr,
                      const Tensor& step, const Tensor& gradient_scale, const AdamWOptions& options);
void check_clip_scale(const Backend& backend, std::span<const Tensor> gradients, double max_norm, const Tensor& scratch,
                      const Tensor& scale, const Tensor& norm);
void check_advance(const Backend& backend, const Tensor& counter);

/// For copy_from_host and copy_to_host: the tensor is of this backend and the host address is not null.
void check_host_copy(const char* operation, const Backend& backend, const Tensor& tensor, const void* host);

}  // namespace graft
