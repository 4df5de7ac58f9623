#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/backend/gemm.h"
#include "engine/base/dtype.h"
#include "engine/cpu/onednn_context.h"

namespace graft {

/// One matrix product: C [batch, M, N] = op(A) [batch, M, K] op(B) [batch, K, N].
struct GemmProblem {
  DType input = DType::f32;
  DType output = DType::f32;
  std::int64_t batch = 1;
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  GemmOptions options{};
  bool bias = false;

  bool empty() const { return batch == 0 || m == 0 || n == 0 || k == 0; }
  std::string str() const;
};

/// The backend's plan for a product without extents of 0, from its cache. Arguments: source, weights, bias, destination
/// are a, b, bias, c. Throws Error if this processor has none.
Plan& gemm_plan(OnednnContext& context, const GemmProblem& problem);

}  // namespace graft
