#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "cuda/library/chooser.h"
#include "cuda/library/library.h"
#include "cuda/runtime/memory_pool.h"
#include "cuda/runtime/stream.h"
#include "cuda/runtime/uploader.h"
#include "engine/backend/backend.h"
#include "engine/backend/registry.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// The CUDA backend: one stream of one GPU, or of the emulated one. cuda/backend has its methods, a page of contracts a
/// file: each checks the contract and gives kernels (cuda/kernels) or library calls (cuda/library) to the stream.
class CudaBackend final : public Backend {
 public:
  /// Throws Error(device) where there is no usable GPU.
  explicit CudaBackend(const BackendOptions& options);
  ~CudaBackend() override;

  std::string kind() const override;
  std::string device_kind() const override;
  int threads() const override { return 1; }
  bool supports(DType dtype) const override { return dtype == DType::f32 || dtype == DType::bf16; }
  StoragePtr allocate(std::size_t bytes) override;
  std::size_t bytes_in_use() const override;
  std::size_t bytes_reserved() const override;
  void copy_from_host(const void* source, const Tensor& destination) override;
  void copy_to_host(const Tensor& source, void* destination) override;
  void synchronize() override;
  bool can_capture() const override { return options_.graph; }
  std::unique_ptr<CapturedWork> capture(const std::function<void()>& work) override;

  const Stream& stream() const { return stream_; }
  MemoryStatistics memory_statistics() const { return pool_->statistics(); }
  /// True iff f32 convolutions and matrix products may round their factors to tf32 and use tensor cores.
  bool tf32() const { return options_.tf32; }
  /// Scratch of this backend's own, for kernels whose contracts have none: kWorkspaceBytes at a fixed address, used in
  /// the order of the stream and by one kernel call at a time.
  void* workspace() const { return workspace_->data(); }
  static constexpr std::size_t kWorkspaceBytes = std::size_t{4} << 20;

  /// A convolution's tensors as its passes take them: of x, w and y the pass writes one. `y` and `bias` are the
  /// forward pass's to write and to add.
  struct ConvTensors {
    const void* x = nullptr;
    const void* w = nullptr;
    void* y = nullptr;
    void* scratch = nullptr;
    const float* bias = nullptr;
    bool relu = false;
  };
  /// Computes by `native` or by the library that --gemm or --conv ask for; with auto by the one that is faster for this
  /// shape. `scratch` has what ..._scratch_bytes says, which is at least what `native` needs.
  void multiply(const GemmProblem& problem, const void* a, const void* b, const float* bias, void* scratch, void* c,
                const std::function<void()>& native);
  std::size_t multiply_scratch_bytes(const GemmProblem& problem, std::size_t native) const;
  void convolve(ConvPass pass, const ConvProblem& problem, DType dtype, const ConvTensors& tensors,
                const std::function<void()>& native);
  std::size_t convolve_scratch_bytes(ConvPass pass, const ConvProblem& problem, DType dtype, std::size_t native) const;
  std::map<std::string, std::string> choices() const override;

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
  void open_libraries();

  BackendOptions options_;
  Stream stream_;
  std::shared_ptr<MemoryPool> pool_;          ///< of tensors
  std::shared_ptr<MemoryPool> own_memory_;    ///< of the backend itself
  std::shared_ptr<MemoryPool> capture_pool_;  ///< not null while work is being recorded
  StoragePtr workspace_;
  Uploader uploader_;
  std::unique_ptr<GemmLibrary> gemm_library_;
  std::unique_ptr<ConvLibrary> conv_library_;
  Chooser chooser_;
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
