#pragma once

#include <cstdint>

#include "engine/reference/reference_backend.h"
#include "tests/ops/host_values.h"

namespace graft::testing {

/// A reference backend that, computing in f64, moves every element of every activation and activation gradient that it
/// stores by up to `unit` of itself: what rounding to a dtype of that unit does, at random. So a test can measure by
/// how much such rounding may move a result, instead of guessing.
class NoisyBackend : public ReferenceBackend {
 public:
  explicit NoisyBackend(double unit) : unit_(unit) {}

  void conv2d_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const Tensor& residual,
                      const Conv2dOptions& options, const Tensor& scratch, const Tensor& y) override {
    ReferenceBackend::conv2d_forward(x, w, bias, residual, options, scratch, y);
    disturb(y);
  }
  void conv2d_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options, const Tensor& scratch,
                            const Tensor& dx) override {
    ReferenceBackend::conv2d_backward_data(dy, w, options, scratch, dx);
    disturb(dx);
  }
  void gemm(const Tensor& a, const Tensor& b, const Tensor& bias, const GemmOptions& options, const Tensor& scratch,
            const Tensor& c) override {
    ReferenceBackend::gemm(a, b, bias, options, scratch, c);
    disturb(c);
  }
  void batch_norm_train(const Tensor& x, const Tensor& residual, const Tensor& scale, const Tensor& shift,
                        const BatchNormOptions& options, const Tensor& running_mean, const Tensor& running_var,
                        const Tensor& scratch, const Tensor& y, const Tensor& mean,
                        const Tensor& inverse_deviation) override {
    ReferenceBackend::batch_norm_train(x, residual, scale, shift, options, running_mean, running_var, scratch, y, mean,
                                       inverse_deviation);
    disturb(y);
  }
  void batch_norm_train_backward(const Tensor& dy, const Tensor& x, const Tensor& y, const Tensor& scale,
                                 const Tensor& mean, const Tensor& inverse_deviation, const BatchNormOptions& options,
                                 const Tensor& scratch, const Tensor& dx, const Tensor& dresidual, const Tensor& dscale,
                                 const Tensor& dshift) override {
    ReferenceBackend::batch_norm_train_backward(dy, x, y, scale, mean, inverse_deviation, options, scratch, dx,
                                                dresidual, dscale, dshift);
    disturb(dx);
    disturb(dresidual);
  }
  void avg_pool2d_forward(const Tensor& x, const Pool2dOptions& options, const Tensor& y) override {
    ReferenceBackend::avg_pool2d_forward(x, options, y);
    disturb(y);
  }
  void avg_pool2d_backward(const Tensor& dy, const Pool2dOptions& options, const Tensor& dx) override {
    ReferenceBackend::avg_pool2d_backward(dy, options, dx);
    disturb(dx);
  }
  void global_avg_pool_forward(const Tensor& x, const Tensor& y) override {
    ReferenceBackend::global_avg_pool_forward(x, y);
    disturb(y);
  }
  void global_avg_pool_backward(const Tensor& dy, const Tensor& dx) override {
    ReferenceBackend::global_avg_pool_backward(dy, dx);
    disturb(dx);
  }
  void add(const Tensor& a, const Tensor& b, const Tensor& y) override {
    ReferenceBackend::add(a, b, y);
    disturb(y);
  }
  void softmax_cross_entropy(const Tensor& logits, const Tensor& labels, double label_smoothing, const Tensor& loss,
                             const Tensor& dlogits) override {
    ReferenceBackend::softmax_cross_entropy(logits, labels, label_smoothing, loss, dlogits);
    disturb(dlogits);
  }

 private:
  void disturb(const Tensor& tensor) {
    if (!tensor.defined()) return;
    std::vector<double> values = to_host(tensor);
    const std::vector<double> noise = random_values(tensor.numel(), ++stores_);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] *= 1.0 + unit_ * noise[i];
    copy_from_host(values.data(), tensor);
  }

  double unit_;
  std::uint64_t stores_ = 0;
};

}  // namespace graft::testing
