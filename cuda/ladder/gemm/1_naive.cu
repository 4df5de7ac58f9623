// Step 1: one thread an element of C, which walks along K and reads both factors of each product from global memory:
// correct, and the definition in code.
//
// Threads: 16 x 16 a block, threadIdx.x along the rows of C. So the 32 lanes of a warp hold 16 rows of one column and
// 16 of the next: each load of A touches 16 rows, 16 separate sectors of 32 bytes of which 4 bytes are used. Bound:
// sectors; per product and warp 16 of A and 1 of B.

#include <cstdint>

#include "cuda/ladder/gemm/ladder.h"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kSide = 16;

__global__ void naive_kernel(GemmLadderExtents e, const float* a, const float* b, float* c) {
  const std::int64_t row = std::int64_t{blockIdx.x} * kSide + threadIdx.x;
  const std::int64_t column = std::int64_t{blockIdx.y} * kSide + threadIdx.y;
  float sum = 0.0f;
  for (int k = 0; k < e.k; ++k) sum = fmaf(a[row * e.k + k], b[std::int64_t{k} * e.n + column], sum);
  c[row * e.n + column] = sum;
}

}  // namespace

void gemm_ladder_naive(const Stream& stream, const GemmLadderExtents& extents, const void* a, const void* b, void* c) {
  launch(stream,
         {.kernel = "gemm_ladder_naive",
          .grid = {static_cast<unsigned>(extents.m / kSide), static_cast<unsigned>(extents.n / kSide)},
          .block = {kSide, kSide}},
         naive_kernel, extents, static_cast<const float*>(a), static_cast<const float*>(b), static_cast<float*>(c));
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
