#include "cuda/kernels/local_response_norm.h"

#include "cuda/backend/cuda_backend.h"
#include "engine/backend/local_response_norm.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// Of a tensor with elements.
LocalResponseNorm norm_of(const Tensor& x, const LrnOptions& options) {
  return {.rows = x.numel() / channels_of(x),
          .channels = channels_of(x),
          .before = static_cast<int>(options.before()),
          .after = static_cast<int>(options.after()),
          .k = static_cast<float>(options.k),
          .share = static_cast<float>(options.alpha / static_cast<double>(options.size)),
          .beta = static_cast<float>(options.beta)};
}

}  // namespace

void CudaBackend::local_response_norm_forward(const Tensor& x, const LrnOptions& options, const Tensor& y) {
  check_local_response_norm("local_response_norm", *this, {"x", x}, x, options, {"y", y});
  if (x.numel() == 0) return;
  cuda::local_response_norm_forward(stream_, x.dtype(), norm_of(x, options), x.raw(), y.raw());
}

void CudaBackend::local_response_norm_backward(const Tensor& dy, const Tensor& x, const LrnOptions& options,
                                               const Tensor& dx) {
  check_local_response_norm("local_response_norm_backward", *this, {"dy", dy}, x, options, {"dx", dx});
  if (x.numel() == 0) return;
  cuda::local_response_norm_backward(stream_, x.dtype(), norm_of(x, options), dy.raw(), x.raw(), dx.raw());
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
