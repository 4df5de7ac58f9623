#include "cuda/backend/cuda_backend.h"
#include "engine/backend/contract.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

// Kernels that are still to come.
[[noreturn]] void pending(const char* kernel) { fail(ErrorKind::failure, "[cuda] {} has no kernel yet", kernel); }

}  // namespace

void CudaBackend::gemm(const Tensor& /*a*/, const Tensor& /*b*/, const Tensor& /*bias*/, const GemmOptions& /*options*/,
                       const Tensor& /*scratch*/, const Tensor& /*c*/) {
  pending("gemm");
}
std::size_t CudaBackend::gemm_scratch_bytes(const Shape& /*a*/, const Shape& /*b*/, DType /*input*/, DType /*output*/,
                                            const GemmOptions& /*options*/) {
  pending("gemm_scratch_bytes");
}
void CudaBackend::sum_rows(const Tensor& /*x*/, const Tensor& /*y*/) { pending("sum_rows"); }

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
