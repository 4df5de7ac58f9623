// Step 3: tiles in shared memory. The block's 32 x 32 threads load a tile of A and a tile of B together, one element
// each, and every element is then used 32 times: global memory is read a 32nd as often.
//
// Threads: 32 x 32, one element of C each. Two barriers a tile: before it is read it must be whole, and before the next
// is loaded nobody may still read. A warp reads one word of A's tile and 32 neighbours of B's: no two lanes meet in a
// bank. Bound: shared memory; two loads of it for each multiply-add.

#include <cstdint>

#include "cuda/ladder/gemm/ladder.h"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kTile = 32;

__global__ void shared_tile_kernel(GemmLadderExtents e, const float* a, const float* b, float* c) {
  auto* tile_a = dynamic_shared<float>();  // [kTile rows of C][kTile along K]
  float* tile_b = tile_a + kTile * kTile;  // [kTile along K][kTile columns of C]
  const auto x = static_cast<int>(threadIdx.x);
  const auto y = static_cast<int>(threadIdx.y);
  const std::int64_t row = std::int64_t{blockIdx.y} * kTile + y;
  const std::int64_t column = std::int64_t{blockIdx.x} * kTile + x;
  float sum = 0.0f;
  for (int first = 0; first < e.k; first += kTile) {
    tile_a[y * kTile + x] = a[row * e.k + first + x];
    tile_b[y * kTile + x] = b[(std::int64_t{first} + y) * e.n + column];
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kTile; ++k) sum = fmaf(tile_a[y * kTile + k], tile_b[k * kTile + x], sum);
    __syncthreads();
  }
  c[row * e.n + column] = sum;
}

}  // namespace

void gemm_ladder_shared_tile(const Stream& stream, const GemmLadderExtents& extents, const void* a, const void* b,
                             void* c) {
  launch(stream,
         {.kernel = "gemm_ladder_shared_tile",
          .grid = {static_cast<unsigned>(extents.n / kTile), static_cast<unsigned>(extents.m / kTile)},
          .block = {kTile, kTile},
          .shared_bytes = 2 * kTile * kTile * sizeof(float)},
         shared_tile_kernel, extents, static_cast<const float*>(a), static_cast<const float*>(b),
         static_cast<float*>(c));
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
