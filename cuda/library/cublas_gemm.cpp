#if defined(GRAFT_WITH_CUBLAS) && !defined(GRAFT_CUDA_EMULATED)
#include <cublas_v2.h>

#include <algorithm>

#include "cuda/kernels/bias_relu.h"
#include "cuda/library/library.h"
#include "cuda/library/shared_library.h"
#include "cuda/runtime/kernel_timer.h"
#include "cuda/runtime/memory_pool.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;  // what cuBLAS's manual advises for Hopper

// The address of a function by its name, typed as the header declares it.
// NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration; names take none.
#define GRAFT_CUBLAS(name) decltype(::name)* name = library.function<decltype(::name)>(#name)

/// cuBLAS's functions as far as they are used here.
struct Functions {
  SharedLibrary library{fmt::format("libcublas.so.{}", CUBLAS_VER_MAJOR), "use --gemm native"};
  GRAFT_CUBLAS(cublasCreate_v2);
  GRAFT_CUBLAS(cublasDestroy_v2);
  GRAFT_CUBLAS(cublasGetVersion_v2);
  GRAFT_CUBLAS(cublasSetStream_v2);
  GRAFT_CUBLAS(cublasSetWorkspace_v2);
  GRAFT_CUBLAS(cublasSetMathMode);
  GRAFT_CUBLAS(cublasSetAtomicsMode);
  GRAFT_CUBLAS(cublasGetStatusName);
  GRAFT_CUBLAS(cublasGetStatusString);
  GRAFT_CUBLAS(cublasGemmStridedBatchedEx_64);
};
#undef GRAFT_CUBLAS

cudaDataType_t cublas_type(DType dtype) { return dtype == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F; }

class CublasGemm final : public GemmLibrary {
 public:
  explicit CublasGemm(const Stream& stream)
      : stream_(stream), memory_(MemoryPool::create(stream.device())), workspace_(memory_->allocate(kWorkspaceBytes)) {
    check_status(cublas_.cublasCreate_v2(&handle_), "cublasCreate");
    check_status(cublas_.cublasSetStream_v2(handle_, stream.handle()), "cublasSetStream");
    // A workspace of its own, of one size and at one address: then the bits do not depend on other streams, and a step
    // can be captured. Setting the stream takes the workspace back, so it comes after.
    check_status(cublas_.cublasSetWorkspace_v2(handle_, workspace_->data(), kWorkspaceBytes), "cublasSetWorkspace");
    check_status(cublas_.cublasSetAtomicsMode(handle_, CUBLAS_ATOMICS_NOT_ALLOWED), "cublasSetAtomicsMode");
    // Sums that are split and joined stay in f32.
    check_status(
        cublas_.cublasSetMathMode(
            handle_, static_cast<cublasMath_t>(CUBLAS_DEFAULT_MATH | CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION)),
        "cublasSetMathMode");
  }
  ~CublasGemm() override {
    cudaStreamSynchronize(stream_.handle());
    cublas_.cublasDestroy_v2(handle_);
  }
  CublasGemm(const CublasGemm&) = delete;
  CublasGemm& operator=(const CublasGemm&) = delete;

  std::string name() const override {
    int version = 0;
    check_status(cublas_.cublasGetVersion_v2(handle_, &version), "cublasGetVersion");
    return fmt::format("cuBLAS {}.{}.{}", version / 10000, version % 10000 / 100, version % 100);
  }

  /// A bias goes on before the rounding to bf16, so the product is kept in f32 until then.
  std::size_t scratch_bytes(const GemmProblem& problem) const override {
    if (problem.output != DType::bf16) return 0;
    return static_cast<std::size_t>(problem.batch * problem.m * problem.n) * sizeof(float);
  }

  void gemm(const GemmProblem& p, const void* a, const void* b, const float* bias, void* scratch, void* c) override {
    const std::int64_t count = p.batch * p.m * p.n;
    if (count == 0) return;
    const bool wide = bias != nullptr && p.output == DType::bf16;
    const DType product_type = wide ? DType::f32 : p.output;
    void* product = wide ? scratch : c;
    if (p.k == 0) {
      stream_.fill_bytes(product, 0, static_cast<std::size_t>(count) * size_of(product_type));
    } else {
      multiply(p, a, b, product, product_type);
    }
    if (bias != nullptr || p.relu)
      bias_relu(stream_, product_type, p.output, product, bias, nullptr, p.relu, p.batch * p.m, p.n, c);
  }

 private:
  /// cuBLAS's matrices are column-major: it is given C^T = op(B)^T op(A)^T.
  void multiply(const GemmProblem& p, const void* a, const void* b, void* c, DType output) {
    const float one = 1.0f;
    const float zero = 0.0f;
    const cublasComputeType_t compute = p.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    timed(stream_, "cublas_gemm", [&] {
      check_status(cublas_.cublasGemmStridedBatchedEx_64(
                       handle_, p.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N, p.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N,
                       p.n, p.m, p.k, &one, b, cublas_type(p.input), p.transpose_b ? p.k : p.n, p.k * p.n, a,
                       cublas_type(p.input), p.transpose_a ? p.m : p.k, p.m * p.k, &zero, c, cublas_type(output), p.n,
                       p.m * p.n, p.batch, compute, CUBLAS_GEMM_DEFAULT),
                   "cublasGemmStridedBatchedEx");
    });
  }

  void check_status(cublasStatus_t status, const char* call) const {
    if (status == CUBLAS_STATUS_SUCCESS) [[likely]]
      return;
    fail(ErrorKind::device, "[cuda] {}: {} ({}): use --gemm native", call, cublas_.cublasGetStatusString(status),
         cublas_.cublasGetStatusName(status));
  }

  Functions cublas_;
  const Stream& stream_;
  std::shared_ptr<MemoryPool> memory_;
  StoragePtr workspace_;
  cublasHandle_t handle_ = nullptr;
};

}  // namespace

std::unique_ptr<GemmLibrary> make_cublas_gemm(const Stream& stream) { return std::make_unique<CublasGemm>(stream); }

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
#endif
