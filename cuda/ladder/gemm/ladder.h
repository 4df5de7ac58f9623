#pragma once

#include <array>

#include "cuda/runtime/stream.h"
#include "engine/base/dtype.h"

// The ladder of matrix products: C = A B with a [m, k], b [k, n] and c [m, n] row-major, from the plainest kernel to
// the one in use, each step a file whose opening comment says what it changes and why. Every step is checked by the
// same test (tests/cuda/ladder). To keep the steps short they take m and n in multiples of 128, k in multiples of 64,
// and matrices that start at multiples of 16 bytes; the kernel in use has none of these limits.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

struct GemmLadderExtents {
  int m = 0;
  int n = 0;
  int k = 0;
};

/// a, b and c are of the step's dtype.
using GemmLadderStep = void (*)(const Stream& stream, const GemmLadderExtents& extents, const void* a, const void* b,
                                void* c);

void gemm_ladder_naive(const Stream& stream, const GemmLadderExtents& extents, const void* a, const void* b, void* c);
void gemm_ladder_coalesced(const Stream& stream, const GemmLadderExtents& extents, const void* a, const void* b,
                           void* c);
void gemm_ladder_shared_tile(const Stream& stream, const GemmLadderExtents& extents, const void* a, const void* b,
                             void* c);
void gemm_ladder_register_tile(const Stream& stream, const GemmLadderExtents& extents, const void* a, const void* b,
                               void* c);
void gemm_ladder_double_buffer(const Stream& stream, const GemmLadderExtents& extents, const void* a, const void* b,
                               void* c);
void gemm_ladder_tensor_cores(const Stream& stream, const GemmLadderExtents& extents, const void* a, const void* b,
                              void* c);
void gemm_ladder_in_use(const Stream& stream, const GemmLadderExtents& extents, const void* a, const void* b, void* c);

struct NamedGemmStep {
  const char* name;
  DType dtype;
  GemmLadderStep run;
};
inline constexpr std::array<NamedGemmStep, 7> kGemmLadder{{{"1 naive", DType::f32, gemm_ladder_naive},
                                                           {"2 coalesced", DType::f32, gemm_ladder_coalesced},
                                                           {"3 shared tile", DType::f32, gemm_ladder_shared_tile},
                                                           {"4 register tile", DType::f32, gemm_ladder_register_tile},
                                                           {"5 double buffer", DType::f32, gemm_ladder_double_buffer},
                                                           {"6 tensor cores", DType::bf16, gemm_ladder_tensor_cores},
                                                           {"7 in use", DType::bf16, gemm_ladder_in_use}}};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
