#pragma once

#include <map>
#include <string>

#include "engine/reference/reference_backend.h"

namespace graft::testing {

/// A reference backend that counts the calls of the kernels that the tape may spare or add.
class CountingBackend : public ReferenceBackend {
 public:
  int calls(const std::string& kernel) const {
    const auto found = calls_.find(kernel);
    return found == calls_.end() ? 0 : found->second;
  }
  /// Calls of all counted kernels.
  int calls() const {
    int sum = 0;
    for (const auto& [name, count] : calls_) sum += count;
    return sum;
  }
  void forget() { calls_.clear(); }

  void conv2d_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const Tensor& residual,
                      const Conv2dOptions& options, const Tensor& scratch, const Tensor& y) override {
    ++calls_["conv2d_forward"];
    ReferenceBackend::conv2d_forward(x, w, bias, residual, options, scratch, y);
  }
  void conv2d_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options, const Tensor& scratch,
                            const Tensor& dx) override {
    ++calls_["conv2d_backward_data"];
    ReferenceBackend::conv2d_backward_data(dy, w, options, scratch, dx);
  }
  void conv2d_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options, const Tensor& scratch,
                               const Tensor& dw, const Tensor& dbias) override {
    ++calls_["conv2d_backward_weights"];
    ReferenceBackend::conv2d_backward_weights(x, dy, options, scratch, dw, dbias);
  }
  void sum_rows(const Tensor& x, const Tensor& y) override {
    ++calls_["sum_rows"];
    ReferenceBackend::sum_rows(x, y);
  }
  void fill(double value, const Tensor& y) override {
    ++calls_["fill"];
    ReferenceBackend::fill(value, y);
  }
  void cast(const Tensor& x, const Tensor& y) override {
    ++calls_["cast"];
    ReferenceBackend::cast(x, y);
  }
  void add(const Tensor& a, const Tensor& b, const Tensor& y) override {
    ++calls_["add"];
    ReferenceBackend::add(a, b, y);
  }
  void accumulate(const Tensor& x, const Tensor& y) override {
    const auto before = calls_;
    ReferenceBackend::accumulate(x, y);
    calls_ = before;  // it may be made of another kernel: one call is one call
    ++calls_["accumulate"];
  }
  void scale(const Tensor& x, const Tensor& factor, const Tensor& y) override {
    ++calls_["scale"];
    ReferenceBackend::scale(x, factor, y);
  }
  void relu_backward(const Tensor& dy, const Tensor& y, const Tensor& dx) override {
    ++calls_["relu_backward"];
    ReferenceBackend::relu_backward(dy, y, dx);
  }
  void softmax_cross_entropy(const Tensor& logits, const Tensor& labels, double label_smoothing, const Tensor& loss,
                             const Tensor& dlogits) override {
    ++calls_[dlogits.defined() ? "softmax_cross_entropy with gradient" : "softmax_cross_entropy"];
    ReferenceBackend::softmax_cross_entropy(logits, labels, label_smoothing, loss, dlogits);
  }

 private:
  std::map<std::string, int> calls_;
};

}  // namespace graft::testing
