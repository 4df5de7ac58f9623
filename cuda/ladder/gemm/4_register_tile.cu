// Step 4: a tile in registers. A thread computes 8 x 8 elements of C: for each k it reads 8 elements of A and 8 of B
// from shared memory for 64 multiply-adds, where step 3 read two for one. What was bound by shared memory is now bound
// by what can be in flight: the block waits for every load from global memory before it multiplies.
//
// Threads: 256 a block of 128 x 128; thread (x, y) of 16 x 16 has the rows y, y + 16, ... and the columns x, x + 16,
// ..., so that a warp reads neighbouring words of B's tile. A's tile is stored with K outermost, its rows padded by a
// word so that the transposing stores do not all meet in one bank. Bound: the latency of global memory, which nothing
// overlaps but the other blocks of the multiprocessor.

#include <cstdint>

#include "cuda/ladder/gemm/ladder.h"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kThreads = 256;
constexpr int kSide = 16;  // threads along each side of C's tile
constexpr int kEach = 8;   // rows and columns a thread
constexpr int kBlock = kSide * kEach;
constexpr int kDepth = 8;
constexpr int kPitchA = kBlock + 1;

__device__ __forceinline__ void load_tiles(const GemmLadderExtents& e, const float* a, const float* b, int first,
                                           float* tile_a, float* tile_b) {
  for (int i = static_cast<int>(threadIdx.x); i < kBlock * kDepth; i += kThreads) {
    const int row = i / kDepth;
    const int k = i % kDepth;
    tile_a[k * kPitchA + row] = a[(std::int64_t{blockIdx.y} * kBlock + row) * e.k + first + k];
  }
  for (int i = static_cast<int>(threadIdx.x); i < kBlock * kDepth; i += kThreads) {
    const int k = i / kBlock;
    const int column = i % kBlock;
    tile_b[i] = b[(std::int64_t{first} + k) * e.n + std::int64_t{blockIdx.x} * kBlock + column];
  }
}

__global__ void __launch_bounds__(kThreads)
    register_tile_kernel(GemmLadderExtents e, const float* a, const float* b, float* c) {
  auto* tile_a = dynamic_shared<float>();     // [kDepth][kPitchA]
  float* tile_b = tile_a + kDepth * kPitchA;  // [kDepth][kBlock]
  const int x = static_cast<int>(threadIdx.x) % kSide;
  const int y = static_cast<int>(threadIdx.x) / kSide;
  float sums[kEach][kEach] = {};
  for (int first = 0; first < e.k; first += kDepth) {
    load_tiles(e, a, b, first, tile_a, tile_b);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kDepth; ++k) {
      float left[kEach];
      float right[kEach];
#pragma unroll
      for (int i = 0; i < kEach; ++i) {
        left[i] = tile_a[k * kPitchA + y + i * kSide];
        right[i] = tile_b[k * kBlock + x + i * kSide];
      }
#pragma unroll
      for (int i = 0; i < kEach; ++i) {
#pragma unroll
        for (int j = 0; j < kEach; ++j) sums[i][j] = fmaf(left[i], right[j], sums[i][j]);
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const std::int64_t row = std::int64_t{blockIdx.y} * kBlock + y + i * kSide;
#pragma unroll
    for (int j = 0; j < kEach; ++j) c[row * e.n + std::int64_t{blockIdx.x} * kBlock + x + j * kSide] = sums[i][j];
  }
}

}  // namespace

void gemm_ladder_register_tile(const Stream& stream, const GemmLadderExtents& extents, const void* a, const void* b,
                               void* c) {
  launch(stream,
         {.kernel = "gemm_ladder_register_tile",
          .grid = {static_cast<unsigned>(extents.n / kBlock), static_cast<unsigned>(extents.m / kBlock)},
          .block = kThreads,
          .shared_bytes = kDepth * (kPitchA + kBlock) * sizeof(float)},
         register_tile_kernel, extents, static_cast<const float*>(a), static_cast<const float*>(b),
         static_cast<float*>(c));
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
