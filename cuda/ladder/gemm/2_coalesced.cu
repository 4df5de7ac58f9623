// Step 2: the same sums with the other index along threadIdx.x. The lanes of a warp are now neighbours in a row of C: a
// load of B is 32 neighbouring words, four sectors wholly used, and a load of A is one word for all lanes. Nothing else
// has changed, and a warp asks for 5 sectors a product instead of 17.
//
// Threads: 32 x 8 a block, threadIdx.x along the columns of C. Bound: requests to the L1 cache; two loads for each
// multiply-add, and every element of A is read n times, of B m times.

#include <cstdint>

#include "cuda/ladder/gemm/ladder.h"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kColumns = 32;
constexpr int kRows = 8;

__global__ void coalesced_kernel(GemmLadderExtents e, const float* a, const float* b, float* c) {
  const std::int64_t row = std::int64_t{blockIdx.y} * kRows + threadIdx.y;
  const std::int64_t column = std::int64_t{blockIdx.x} * kColumns + threadIdx.x;
  float sum = 0.0f;
  for (int k = 0; k < e.k; ++k) sum = fmaf(a[row * e.k + k], b[std::int64_t{k} * e.n + column], sum);
  c[row * e.n + column] = sum;
}

}  // namespace

void gemm_ladder_coalesced(const Stream& stream, const GemmLadderExtents& extents, const void* a, const void* b,
                           void* c) {
  launch(stream,
         {.kernel = "gemm_ladder_coalesced",
          .grid = {static_cast<unsigned>(extents.n / kColumns), static_cast<unsigned>(extents.m / kRows)},
          .block = {kColumns, kRows}},
         coalesced_kernel, extents, static_cast<const float*>(a), static_cast<const float*>(b), static_cast<float*>(c));
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
