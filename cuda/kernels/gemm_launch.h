#pragma once

#include "cuda/kernels/gemm.h"
#include "cuda/kernels/tile_plan.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

// What gemm.cu chooses from. Each launcher computes all of a problem with n, m > 0 and extents below 2^31, k cut into
// plan.splits ranges of whole depths; with more than one, `c` is the f32 partial sums [splits, batch, m, n].

struct GemmArguments {
  const void* a;
  const void* b;
  const float* bias;
  void* c;
};

/// Depths of K that a tile has at once, and tiles to choose from, the largest first.
inline constexpr int kGemmSimtDepth = 16;
inline constexpr TileShape kGemmSimtTiles[] = {{128, 128, 1.0}, {64, 64, 0.7}};
inline constexpr TileShape kGemmMmaTiles[] = {{128, 128, 1.0}, {64, 64, 0.6}};

/// On CUDA cores, a, b and c f32; for any alignment.
void gemm_f32(const Stream& stream, const GemmProblem& problem, const TilePlan& plan, const GemmArguments& arguments);
/// On tensor cores; for any alignment, fastest where rows of a and b are multiples of 16 bytes.
void gemm_bf16(const Stream& stream, const GemmProblem& problem, const TilePlan& plan, const GemmArguments& arguments);
void gemm_tf32(const Stream& stream, const GemmProblem& problem, const TilePlan& plan, const GemmArguments& arguments);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
