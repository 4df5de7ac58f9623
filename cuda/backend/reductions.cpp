#include "cuda/backend/cuda_backend.h"
#include "cuda/kernels/sum_rows.h"
#include "engine/backend/contract.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

void CudaBackend::sum_rows(const Tensor& x, const Tensor& y) {
  check_sum_rows(*this, x, y);
  const std::int64_t channels = y.numel();
  const std::int64_t rows = channels == 0 ? 0 : x.numel() / channels;
  cuda::sum_rows(stream_, x.dtype(), x.raw(), rows, channels, workspace(), kWorkspaceBytes, y.data<float>());
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
