#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "engine/backend/backend.h"
#include "engine/backend/registry.h"

namespace graft {

/// Every kernel once more as plain loops over doubles: the contract in code and the oracle of all backend tests. Inputs
/// are widened to f64, all arithmetic is f64, and each output is rounded once, when it is stored. One thread; slow.
/// Beyond the contracts it computes in f64 and throws Error where a value breaks the contract (a label out of range).
class ReferenceBackend : public Backend {
 public:
  std::string kind() const override { return "reference"; }
  std::string device_kind() const override { return "reference"; }
  int threads() const override { return 1; }
  bool supports(DType dtype) const override { return dtype != DType::f16; }

  StoragePtr allocate(std::size_t bytes) override;
  std::size_t bytes_in_use() const override { return *bytes_in_use_; }
  /// Nothing is pooled: what is held is what is in use.
  std::size_t bytes_reserved() const override { return *bytes_in_use_; }
  void copy_from_host(const void* source, const Tensor& destination) override;
  void copy_to_host(const Tensor& source, void* destination) override;
  void synchronize() override {}

  void conv2d_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const Conv2dOptions& options,
                      const Tensor& scratch, const Tensor& y) override;
  std::size_t conv2d_forward_scratch_bytes(const Shape&, const Shape&, DType, const Conv2dOptions&) override {
    return 0;
  }
  void conv2d_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options, const Tensor& scratch,
                            const Tensor& dx) override;
  std::size_t conv2d_backward_data_scratch_bytes(const Shape&, const Shape&, DType, const Conv2dOptions&) override {
    return 0;
  }
  void conv2d_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options, const Tensor& scratch,
                               const Tensor& dw, const Tensor& dbias) override;
  std::size_t conv2d_backward_weights_scratch_bytes(const Shape&, const Shape&, DType, const Conv2dOptions&) override {
    return 0;
  }

  void gemm(const Tensor& a, const Tensor& b, const Tensor& bias, const GemmOptions& options, const Tensor& scratch,
            const Tensor& c) override;
  std::size_t gemm_scratch_bytes(const Shape&, const Shape&, DType, DType, const GemmOptions&) override { return 0; }
  void sum_rows(const Tensor& x, const Tensor& y) override;

  void batch_norm_train(const Tensor& x, const Tensor& residual, const Tensor& scale, const Tensor& shift,
                        const BatchNormOptions& options, const Tensor& running_mean, const Tensor& running_var,
                        const Tensor& scratch, const Tensor& y, const Tensor& mean,
                        const Tensor& inverse_deviation) override;
  std::size_t batch_norm_scratch_bytes(const Shape&, DType) override { return 0; }
  void batch_norm_eval(const Tensor& x, const Tensor& residual, const Tensor& scale, const Tensor& shift,
                       const Tensor& mean, const Tensor& var, const BatchNormOptions& options,
                       const Tensor& y) override;
  void batch_norm_train_backward(const Tensor& dy, const Tensor& x, const Tensor& y, const Tensor& scale,
                                 const Tensor& mean, const Tensor& inverse_deviation, const BatchNormOptions& options,
                                 const Tensor& scratch, const Tensor& dx, const Tensor& dresidual, const Tensor& dscale,
                                 const Tensor& dshift) override;
  void batch_norm_eval_backward(const Tensor& dy, const Tensor& x, const Tensor& y, const Tensor& scale,
                                const Tensor& mean, const Tensor& var, const BatchNormOptions& options,
                                const Tensor& scratch, const Tensor& dx, const Tensor& dresidual, const Tensor& dscale,
                                const Tensor& dshift) override;

  void max_pool2d_forward(const Tensor& x, const Pool2dOptions& options, const Tensor& y,
                          const Tensor& indices) override;
  void max_pool2d_backward(const Tensor& dy, const Tensor& indices, const Pool2dOptions& options,
                           const Tensor& dx) override;
  void avg_pool2d_forward(const Tensor& x, const Pool2dOptions& options, const Tensor& y) override;
  void avg_pool2d_backward(const Tensor& dy, const Pool2dOptions& options, const Tensor& dx) override;
  void global_avg_pool_forward(const Tensor& x, const Tensor& y) override;
  void global_avg_pool_backward(const Tensor& dy, const Tensor& dx) override;

  void fill(double value, const Tensor& y) override;
  void cast(const Tensor& x, const Tensor& y) override;
  void copy(const Tensor& x, const Tensor& y) override;
  void add(const Tensor& a, const Tensor& b, const Tensor& y) override;
  void accumulate(const Tensor& x, const Tensor& y) override;
  void scale(const Tensor& x, const Tensor& factor, const Tensor& y) override;
  void relu_forward(const Tensor& x, const Tensor& y) override;
  void relu_backward(const Tensor& dy, const Tensor& y, const Tensor& dx) override;
  void dropout(const Tensor& x, const DropoutOptions& options, const Tensor& step, const Tensor& y) override;
  void nhwc_to_nchw(const Tensor& x, const Tensor& y) override;
  void nchw_to_nhwc(const Tensor& x, const Tensor& y) override;
  void subsample_pad_forward(const Tensor& x, std::int64_t stride, const Tensor& y) override;
  void subsample_pad_backward(const Tensor& dy, std::int64_t stride, const Tensor& dx) override;
  void normalize_images(const Tensor& x, const Tensor& mean, const Tensor& deviation, const Tensor& y) override;
  void gather_images(const Tensor& images, const Tensor& picks, const Tensor& mean, const Tensor& deviation,
                     const Tensor& y) override;

  void softmax_cross_entropy(const Tensor& logits, const Tensor& labels, double label_smoothing, const Tensor& loss,
                             const Tensor& dlogits) override;
  void count_correct(const Tensor& logits, const Tensor& labels, std::int64_t k, const Tensor& count) override;

  void sgd_step(std::span<const Tensor> parameters, std::span<const Tensor> gradients, std::span<const Tensor> velocity,
                const Tensor& lr, const Tensor& gradient_scale, const SgdOptions& options) override;
  void adamw_step(std::span<const Tensor> parameters, std::span<const Tensor> gradients,
                  std::span<const Tensor> first_moment, std::span<const Tensor> second_moment, const Tensor& lr,
                  const Tensor& step, const Tensor& gradient_scale, const AdamWOptions& options) override;
  void clip_scale(std::span<const Tensor> gradients, double max_norm, const Tensor& scratch, const Tensor& scale,
                  const Tensor& norm) override;
  std::size_t clip_scratch_bytes(std::span<const Tensor>) override { return 0; }
  void advance(const Tensor& counter) override;

 private:
  // Shared with the storages: a tensor may outlive its backend's last use.
  std::shared_ptr<std::size_t> bytes_in_use_ = std::make_shared<std::size_t>(0);
};

/// A reference backend; the thread count is ignored.
std::unique_ptr<Backend> make_reference_backend(const BackendOptions& options);

}  // namespace graft
