#include "cuda/library/build.h"
#include "cuda/library/library.h"
#include "engine/base/error.h"

// What stands in for the libraries that this build is without; CudaBackend refuses the options first.
namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

#if defined(GRAFT_CUDA_EMULATED) || !defined(GRAFT_WITH_CUBLAS)
std::unique_ptr<GemmLibrary> make_cublas_gemm(const Stream& /*stream*/) {
  fail(ErrorKind::usage, "[cuda] this {} is without cuBLAS", kWhere);
}
#endif

#if defined(GRAFT_CUDA_EMULATED) || !defined(GRAFT_WITH_CUDNN)
std::unique_ptr<ConvLibrary> make_cudnn_conv(const Stream& /*stream*/, bool /*tf32*/) {
  fail(ErrorKind::usage, "[cuda] this {} is without cuDNN", kWhere);
}
#endif

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
