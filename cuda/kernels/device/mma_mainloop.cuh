#pragma once

#include <cstdint>

#include "cuda/device.cuh"
#include "cuda/kernels/device/async_copy.cuh"
#include "cuda/kernels/device/tile_product.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// How a block works on tensor cores: its tile of C, its warps, how many depths of A and B are in shared memory at
/// once, and how many such blocks are to fit on a multiprocessor, which bounds the registers.
template <class ElementType, int BlockM, int BlockN, int WarpsM, int WarpsN, int Stages, int Blocks>
struct MmaConfig {
  using Element = ElementType;
  using Product = TileProduct<Element, BlockM, BlockN, WarpsM, WarpsN>;
  static constexpr int kBlockM = BlockM;
  static constexpr int kBlockN = BlockN;
  static constexpr int kStages = Stages;
  static constexpr int kBlocks = Blocks;
  static constexpr int kThreads = Product::kThreads;
  static constexpr int kDepth = kRowElements<Element>;
  static constexpr int kStageBytes = (BlockM + BlockN) * kRowBytes;
  static constexpr int kSharedBytes = Stages * kStageBytes;
};

// 64 x 64 of C a warp takes 16 multiply-adds for each byte that it reads from shared memory, 64 x 32 takes 10.7: at the
// rate of mma.sync the former leaves shared memory with room to be filled meanwhile. Three stages of 32 KiB are what
// fits into a block of every architecture since sm_80, twice into a multiprocessor of sm_90.
template <class T>
using Mma128x128 = MmaConfig<T, 128, 128, 2, 2, 3, 2>;
template <class T>
using Mma128x64 = MmaConfig<T, 128, 64, 2, 2, 3, 3>;
template <class T>
using Mma64x64 = MmaConfig<T, 64, 64, 2, 2, 3, 4>;

/// product += A B over `depths` tiles of depth. Each loader has kMajor, and load(tile), which starts the copies of its
/// next tile. The copies for the next kStages - 1 depths are on their way while one depth is multiplied. Afterwards
/// `shared`, of Config::kSharedBytes, is free.
template <class Config, class LoaderA, class LoaderB>
__device__ __forceinline__ void mma_mainloop(LoaderA& load_a, LoaderB& load_b, int depths, unsigned char* shared,
                                             typename Config::Product& product) {
  using TileA = SharedTile<typename Config::Element, Config::kBlockM, LoaderA::kMajor>;
  using TileB = SharedTile<typename Config::Element, Config::kBlockN, LoaderB::kMajor>;
  constexpr int kAhead = Config::kStages - 1;
  const auto load_stage = [&](int stage) {
    unsigned char* place = shared + stage * Config::kStageBytes;
    load_a.load(TileA{place});
    load_b.load(TileB{place + TileA::kBytes});
  };
#pragma unroll
  for (int depth = 0; depth < kAhead; ++depth) {
    if (depth < depths) load_stage(depth);
    copy_async_commit();
  }
  int reading = 0;
  int writing = kAhead;
  for (int depth = 0; depth < depths; ++depth) {
    copy_async_wait<kAhead - 1>();
    __syncthreads();  // this depth is here for all, and nobody still reads what is about to be overwritten
    if (depth + kAhead < depths) load_stage(writing);
    copy_async_commit();
    unsigned char* place = shared + reading * Config::kStageBytes;
    product.multiply_accumulate(TileA{place}, TileB{place + TileA::kBytes});
    reading = reading + 1 == Config::kStages ? 0 : reading + 1;
    writing = writing + 1 == Config::kStages ? 0 : writing + 1;
  }
  copy_async_wait<0>();
  __syncthreads();
}

/// Which tile of C a block computes. Neighbouring blocks take the tiles of eight rows of tiles, column by column, so
/// that what they read together stays in the L2 cache.
struct TileOfC {
  int row;
  int column;
};
__device__ __forceinline__ TileOfC tile_of_block(int block, int rows, int columns) {
  constexpr int kBand = 8;
  const int first = block / (kBand * columns) * kBand;
  const int height = min(kBand, rows - first);
  const int within = block - first * columns;
  return {first + within % height, within / height};
}

/// A range of K: of `depths` tiles of depth, the split-th of k elements.
struct DepthRange {
  int begin;
  int end;
  int tiles;
};
template <int Depth>
__device__ __forceinline__ DepthRange depth_range(int split, int depths, int k) {
  const std::int64_t begin = std::int64_t{split} * depths * Depth;
  const std::int64_t end = begin + std::int64_t{depths} * Depth;
  const int from = static_cast<int>(begin < k ? begin : k);
  const int to = static_cast<int>(end < k ? end : k);
  return {from, to, (to - from + Depth - 1) / Depth};
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
