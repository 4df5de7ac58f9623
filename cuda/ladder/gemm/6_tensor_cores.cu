// Step 6: tensor cores. bf16 factors, f32 sums: one mma.sync of a warp is 16 x 8 x 16 multiply-adds, and a
// multiprocessor does an order of magnitude more of them in a clock than of fused multiply-adds on CUDA cores. The tile
// header (device/tile_product.cuh) hides which lane holds what; the kernel only fills tiles of shared memory and says
// multiply_accumulate.
//
// Threads: four warps a block of 128 x 128, a quarter of 64 x 64 each. Tiles are filled as in step 4, through registers
// and with a barrier on either side, so tensor cores wait while memory works and the other way round.
// Bound: the latency of global memory again: what computes has become so much faster.

#include <cstdint>

#include "cuda/kernels/device/matrix_loader.cuh"
#include "cuda/kernels/device/tile_product.cuh"
#include "cuda/ladder/gemm/ladder.h"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kBlock = 128;
using Product = TileProduct<bf16, kBlock, kBlock, 2, 2>;
using Tile = SharedTile<bf16, kBlock, Major::k>;
using Loader = StridedLoader<bf16, kBlock, Product::kThreads>;

__global__ void __launch_bounds__(Product::kThreads)
    tensor_cores_kernel(GemmLadderExtents e, const bf16* a, const bf16* b, bf16* c) {
  auto* shared = dynamic_shared<unsigned char>();
  const Tile tile_a{shared};
  const Tile tile_b{shared + Tile::kBytes};
  const int first_row = static_cast<int>(blockIdx.y) * kBlock;
  const int first_column = static_cast<int>(blockIdx.x) * kBlock;
  Loader load_a({a, e.k, 1, e.m}, first_row, 0, e.k);
  Loader load_b({b, 1, e.n, e.n}, first_column, 0, e.k);
  Product product;
  for (int first = 0; first < e.k; first += Tile::kDepth) {
    load_a.load(tile_a);
    load_b.load(tile_b);
    __syncthreads();
    product.multiply_accumulate(tile_a, tile_b);
    __syncthreads();
  }
  product.for_each_pair([&](int row, int column, float x, float y) {
    bf16* pair = c + (std::int64_t{first_row} + row) * e.n + first_column + column;
    pair[0] = from_float<bf16>(x);
    pair[1] = from_float<bf16>(y);
  });
}

}  // namespace

void gemm_ladder_tensor_cores(const Stream& stream, const GemmLadderExtents& extents, const void* a, const void* b,
                              void* c) {
  launch(stream,
         {.kernel = "gemm_ladder_tensor_cores",
          .grid = {static_cast<unsigned>(extents.n / kBlock), static_cast<unsigned>(extents.m / kBlock)},
          .block = Product::kThreads,
          .shared_bytes = 2 * Tile::kBytes},
         tensor_cores_kernel, extents, static_cast<const bf16*>(a), static_cast<const bf16*>(b), static_cast<bf16*>(c));
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
