#include <algorithm>

#include "engine/backend/contract.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/gemm_plan.h"
#include "engine/cpu/onednn_context.h"

namespace graft {
namespace {

GemmProblem problem_of(const Shape& a, const Shape& b, DType input, DType output, const GemmOptions& options,
                       bool bias) {
  const GemmExtents extents = gemm_extents(a, b, options);
  return {input, output, extents.batch, extents.m, extents.n, extents.k, options, bias};
}

/// C = [bias] [then ReLU] for a product that sums over nothing.
void product_of_nothing(CpuBackend& backend, const Tensor& bias, bool relu, const Tensor& c) {
  backend.fill(0.0, c);
  if (!bias.defined() || c.numel() == 0) return;
  const std::int64_t columns = c.dim(-1);
  for (std::int64_t i = 0; i < c.numel(); ++i) {
    const float value = bias.data<float>()[i % columns];
    const float clipped = relu && value < 0.0f ? 0.0f : value;
    if (c.dtype() == DType::bf16) {
      c.data<bfloat16>()[i] = bfloat16(clipped);
    } else {
      c.data<float>()[i] = clipped;
    }
  }
}

}  // namespace

void CpuBackend::gemm(const Tensor& a, const Tensor& b, const Tensor& bias, const GemmOptions& options,
                      const Tensor& scratch, const Tensor& c) {
  check_gemm(*this, a, b, bias, options, scratch, c);
  enter();
  const GemmProblem problem = problem_of(a.shape(), b.shape(), a.dtype(), c.dtype(), options, bias.defined());
  if (problem.empty()) return product_of_nothing(*this, bias, options.relu, c);
  Plan& plan = gemm_plan(*onednn_, problem);
  check_scratch("gemm", *this, scratch, plan.scratch_bytes());
  plan.run({a.raw(), b.raw(), bias.raw(), c.raw()}, scratch.raw());
}

std::size_t CpuBackend::gemm_scratch_bytes(const Shape& a, const Shape& b, DType input, DType output,
                                           const GemmOptions& options) {
  enter();
  GemmProblem problem = problem_of(a, b, input, output, options, false);
  if (problem.empty()) return 0;
  const std::size_t without = gemm_plan(*onednn_, problem).scratch_bytes();
  problem.bias = true;
  return std::max(without, gemm_plan(*onednn_, problem).scratch_bytes());
}

}  // namespace graft
