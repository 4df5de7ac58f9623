#include "cuda/backend/cuda_backend.h"
#include "engine/backend/contract.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

// Kernels that are still to come.
[[noreturn]] void pending(const char* kernel) { fail(ErrorKind::failure, "[cuda] {} has no kernel yet", kernel); }

}  // namespace

void CudaBackend::sgd_step(std::span<const Tensor> /*parameters*/, std::span<const Tensor> /*gradients*/,
                           std::span<const Tensor> /*velocity*/, const Tensor& /*lr*/, const Tensor& /*gradient_scale*/,
                           const SgdOptions& /*options*/) {
  pending("sgd_step");
}
void CudaBackend::adamw_step(std::span<const Tensor> /*parameters*/, std::span<const Tensor> /*gradients*/,
                             std::span<const Tensor> /*first_moment*/, std::span<const Tensor> /*second_moment*/,
                             const Tensor& /*lr*/, const Tensor& /*step*/, const Tensor& /*gradient_scale*/,
                             const AdamWOptions& /*options*/) {
  pending("adamw_step");
}
void CudaBackend::clip_scale(std::span<const Tensor> /*gradients*/, double /*max_norm*/, const Tensor& /*scratch*/,
                             const Tensor& /*scale*/, const Tensor& /*norm*/) {
  pending("clip_scale");
}
std::size_t CudaBackend::clip_scratch_bytes(std::span<const Tensor> /*gradients*/) { pending("clip_scratch_bytes"); }
void CudaBackend::advance(const Tensor& /*counter*/) { pending("advance"); }

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
