#include "cuda/backend/cuda_backend.h"
#include "engine/backend/contract.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

// Kernels that are still to come.
[[noreturn]] void pending(const char* kernel) { fail(ErrorKind::failure, "[cuda] {} has no kernel yet", kernel); }

}  // namespace

void CudaBackend::softmax_cross_entropy(const Tensor& /*logits*/, const Tensor& /*labels*/, double /*label_smoothing*/,
                                        const Tensor& /*loss*/, const Tensor& /*dlogits*/) {
  pending("softmax_cross_entropy");
}
void CudaBackend::count_correct(const Tensor& /*logits*/, const Tensor& /*labels*/, std::int64_t /*k*/,
                                const Tensor& /*count*/) {
  pending("count_correct");
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
