#include "cuda/backend/cuda_backend.h"
#include "cuda/kernels/gather_images.h"
#include "engine/backend/contract.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

void CudaBackend::gather_images(const Tensor& images, const Tensor& picks, const Tensor& mean, const Tensor& deviation,
                                const Tensor& y) {
  check_gather_images(*this, images, picks, mean, deviation, y);
  cuda::gather_images(stream_, y.dtype(), {y.dim(0), y.dim(1), y.dim(2), y.dim(3)}, images.data<std::uint8_t>(),
                      picks.data<std::int32_t>(), mean.data<float>(), deviation.data<float>(), y.raw());
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
