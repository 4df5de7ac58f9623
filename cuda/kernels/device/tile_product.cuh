#pragma once

#include "cuda/device.cuh"
#include "cuda/kernels/device/bf16.cuh"
#include "cuda/kernels/device/shared_tile.cuh"
#include "cuda/kernels/device/warp.cuh"
#ifdef GRAFT_CUDA_EMULATED
#include "cuda/emulator/tile_product.h"
#else
#include "cuda/kernels/device/mma_sync.cuh"
#endif

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// The product that a block builds on tensor cores: C [BlockM, BlockN] in f32, in registers, from tiles of A and B in
/// shared memory. This is the only way to tensor cores: mma_sync.cuh stands behind it on a GPU,
/// cuda/emulator/tile_product.h in the emulator. Tiles of bf16 are multiplied exactly; f32 is rounded to tf32 first (10
/// bits of mantissa, halves away from zero). Warps share C as a grid of WarpsM x WarpsN tiles. All threads of the block
/// call every function together.
template <class T, int BlockM, int BlockN, int WarpsM, int WarpsN>
class TileProduct {
 public:
  static constexpr int kThreads = WarpsM * WarpsN * kWarpThreads;
  static constexpr int kWarpM = BlockM / WarpsM;
  static constexpr int kWarpN = BlockN / WarpsN;
  static_assert(kWarpM % 16 == 0 && kWarpN % 16 == 0);

  __device__ __forceinline__ TileProduct()
      : first_row_(warp_index() / WarpsN * kWarpM), first_column_(warp_index() % WarpsN * kWarpN) {
#pragma unroll
    for (int i = 0; i < kWarpM / 16; ++i) {
#pragma unroll
      for (int j = 0; j < kWarpN / 8; ++j) {
#pragma unroll
        for (int e = 0; e < 4; ++e) sums_[i][j][e] = 0.0f;
      }
    }
  }

  /// C += A B for one depth of tiles, whose copies have arrived for all threads.
  template <Major MajorA, Major MajorB>
  __device__ __forceinline__ void multiply_accumulate(const SharedTile<T, BlockM, MajorA>& a,
                                                      const SharedTile<T, BlockN, MajorB>& b) {
#ifdef GRAFT_CUDA_EMULATED
    emulator::multiply_tiles(a, first_row_, b, first_column_, sums_);
#else
    mma_sync_tiles(a, first_row_, b, first_column_, sums_);
#endif
  }

  /// body(row, column, x, y) for each pair of neighbours C[row][column], C[row][column + 1] that this thread holds.
  template <class Body>
  __device__ __forceinline__ void for_each_pair(const Body& body) const {
    const int lane = lane_index();
#pragma unroll
    for (int j = 0; j < kWarpN / 8; ++j) {
      const int column = first_column_ + j * 8 + lane % 4 * 2;
#pragma unroll
      for (int i = 0; i < kWarpM / 16; ++i) {
        const int row = first_row_ + i * 16 + lane / 4;
        body(row, column, sums_[i][j][0], sums_[i][j][1]);
        body(row + 8, column, sums_[i][j][2], sums_[i][j][3]);
      }
    }
  }

 private:
  int first_row_;
  int first_column_;
  float sums_[kWarpM / 16][kWarpN / 8][4];  ///< as mma.m16n8 holds C: rows lane / 4 (+ 8), columns lane % 4 * 2 (+ 1)
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
