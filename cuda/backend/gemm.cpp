#include "cuda/kernels/gemm.h"

#include "cuda/backend/cuda_backend.h"
#include "engine/backend/contract.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

GemmProblem problem_of(const GemmExtents& extents, const GemmOptions& options, DType input, DType output, bool tf32) {
  return {.batch = extents.batch,
          .m = extents.m,
          .n = extents.n,
          .k = extents.k,
          .transpose_a = options.transpose_a,
          .transpose_b = options.transpose_b,
          .relu = options.relu,
          .input = input,
          .output = output,
          .tf32 = tf32 && input == DType::f32};
}

}  // namespace

void CudaBackend::gemm(const Tensor& a, const Tensor& b, const Tensor& bias, const GemmOptions& options,
                       const Tensor& scratch, const Tensor& c) {
  const GemmExtents extents = check_gemm(*this, a, b, bias, options, scratch, c);
  constexpr std::int64_t kLimit = std::int64_t{1} << 31;
  check(extents.m < kLimit && extents.n < kLimit && extents.k < kLimit,
        "[gemm] extents {} x {} x {}: this backend takes less than 2^31 of each", extents.m, extents.n, extents.k);
  const GemmProblem problem = problem_of(extents, options, a.dtype(), c.dtype(), tf32());
  check_scratch("gemm", *this, scratch,
                multiply_scratch_bytes(problem, cuda::gemm_scratch_bytes(stream_.device(), problem)));
  const float* bias_values = bias.defined() ? bias.data<float>() : nullptr;
  multiply(problem, a.raw(), b.raw(), bias_values, scratch.raw(), c.raw(),
           [&] { cuda::gemm(stream_, problem, a.raw(), b.raw(), bias_values, scratch.raw(), c.raw()); });
}

std::size_t CudaBackend::gemm_scratch_bytes(const Shape& a, const Shape& b, DType input, DType output,
                                            const GemmOptions& options) {
  const GemmProblem problem = problem_of(gemm_extents(a, b, options), options, input, output, tf32());
  return multiply_scratch_bytes(problem, cuda::gemm_scratch_bytes(stream_.device(), problem));
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
