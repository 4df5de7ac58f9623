#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/registry.h"

namespace graft {

class MemoryPool;
class OnednnContext;

/// The CPU backend: oneDNN for convolutions and matrix products, graft's own loops for what is bound by memory.
///
/// Its tensors may be released after it and in another thread. Another backend's thread may read them only as immutable
/// storage.
class CpuBackend final : public Backend {
 public:
  /// Throws Error(device) on a processor below AVX2 and Error(usage) for a negative thread count.
  explicit CpuBackend(const BackendOptions& options);
  ~CpuBackend() override;

  std::string kind() const override { return "cpu"; }
  std::string device_kind() const override;
  int threads() const override { return threads_; }
  bool supports(DType dtype) const override;
  StoragePtr allocate(std::size_t bytes) override;
  std::size_t bytes_in_use() const override;
  std::size_t bytes_reserved() const override;
  void copy_from_host(const void* source, const Tensor& destination) override;
  void copy_to_host(const Tensor& source, void* destination) override;
  void synchronize() override {}

  /// Sets OpenMP's thread count of the calling thread to that of this backend. Every kernel that may run in parallel
  /// calls it first, since OpenMP keeps the count per thread and bits depend on it.
  void enter();
  OnednnContext& onednn() { return *onednn_; }

  // engine/backend/conv.h
  void conv2d_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const Conv2dOptions& options,
                      const Tensor& scratch, const Tensor& y) override;
  std::size_t conv2d_forward_scratch_bytes(const Shape& x, const Shape& w, DType dtype,
                                           const Conv2dOptions& options) override;
  void conv2d_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options, const Tensor& scratch,
                            const Tensor& dx) override;
  std::size_t conv2d_backward_data_scratch_bytes(const Shape& x, const Shape& w, DType dtype,
                                                 const Conv2dOptions& options) override;
  void conv2d_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options, const Tensor& scratch,
                               const Tensor& dw, const Tensor& dbias) override;
  std::size_t conv2d_backward_weights_scratch_bytes(const Shape& x, const Shape& w, DType dtype,
                                                    const Conv2dOptions& options) override;

  // engine/backend/gemm.h
  void gemm(const Tensor& a, const Tensor& b, const Tensor& bias, const GemmOptions& options, const Tensor& scratch,
            const Tensor& c) override;
  std::size_t gemm_scratch_bytes(const Shape& a, const Shape& b, DType input, DType output,
                                 const GemmOptions& options) override;
  void sum_rows(const Tensor& x, const Tensor& y) override;

  // engine/backend/norm.h
  void batch_norm_train(const Tensor& x, const Tensor& residual, const Tensor& scale, const Tensor& shift,
                        const BatchNormOptions& options, const Tensor& running_mean, const Tensor& running_var,
                        const Tensor& scratch, const Tensor& y, const Tensor& mean,
                        const Tensor& inverse_deviation) override;
  std::size_t batch_norm_scratch_bytes(const Shape& x, DType dtype) override;
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

  // engine/backend/pool.h
  void max_pool2d_forward(const Tensor& x, const Pool2dOptions& options, const Tensor& y,
                          const Tensor& indices) override;
  void max_pool2d_backward(const Tensor& dy, const Tensor& indices, const Pool2dOptions& options,
                           const Tensor& dx) override;
  void avg_pool2d_forward(const Tensor& x, const Pool2dOptions& options, const Tensor& y) override;
  void avg_pool2d_backward(const Tensor& dy, const Pool2dOptions& options, const Tensor& dx) override;
  void global_avg_pool_forward(const Tensor& x, const Tensor& y) override;
  void global_avg_pool_backward(const Tensor& dy, const Tensor& dx) override;

  // engine/backend/elementwise.h
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

  // engine/backend/images.h
  void gather_images(const Tensor& images, const Tensor& picks, const Tensor& mean, const Tensor& deviation,
                     const Tensor& y) override;

  // engine/backend/loss.h
  void softmax_cross_entropy(const Tensor& logits, const Tensor& labels, double label_smoothing, const Tensor& loss,
                             const Tensor& dlogits) override;
  void count_correct(const Tensor& logits, const Tensor& labels, std::int64_t k, const Tensor& count) override;

  // engine/backend/optim.h
  void sgd_step(std::span<const Tensor> parameters, std::span<const Tensor> gradients, std::span<const Tensor> velocity,
                const Tensor& lr, const Tensor& gradient_scale, const SgdOptions& options) override;
  void adamw_step(std::span<const Tensor> parameters, std::span<const Tensor> gradients,
                  std::span<const Tensor> first_moment, std::span<const Tensor> second_moment, const Tensor& lr,
                  const Tensor& step, const Tensor& gradient_scale, const AdamWOptions& options) override;
  void clip_scale(std::span<const Tensor> gradients, double max_norm, const Tensor& scratch, const Tensor& scale,
                  const Tensor& norm) override;
  std::size_t clip_scratch_bytes(std::span<const Tensor> gradients) override;
  void advance(const Tensor& counter) override;

 private:
  int threads_;
  std::shared_ptr<MemoryPool> pool_;
  std::unique_ptr<OnednnContext> onednn_;
  std::vector<double> partial_sums_;  ///< [threads, 2048], for reductions whose contracts have no scratch
};

/// A CpuBackend; what the registry's entry "cpu" makes.
std::unique_ptr<Backend> make_cpu_backend(const BackendOptions& options);

}  // namespace graft
