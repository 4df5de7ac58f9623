#pragma once

#include <cstdint>

#include "cuda/kernels/device/matrix_loader.cuh"
#include "cuda/kernels/device/mma_epilogue.cuh"
#include "cuda/kernels/device/mma_mainloop.cuh"
#include "cuda/kernels/gemm_launch.h"
#include "cuda/runtime/launch.cuh"

// The tensor-core product, for gemm_bf16.cu and gemm_tf32.cu.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// What all blocks of a launch share. blockIdx.x is the tile, .y the range of K, .z the matrix of the batch.
template <class T>
struct GemmMmaParameters {
  const T* a;
  const T* b;
  ProductOutput output;   ///< of split 0 and the launch's first matrix
  std::int64_t a_matrix;  ///< elements of one matrix of the batch
  std::int64_t b_matrix;
  std::int64_t c_matrix;
  std::int64_t c_split;  ///< elements of c of one range of K
  int m;
  int n;
  int k;
  int a_pitch;  ///< elements between rows in memory
  int b_pitch;
  int depths;  ///< a range of K, in tiles of depth
};

template <class Config, class LoaderA, class LoaderB, class OperandA, class OperandB, class T>
__device__ __forceinline__ void gemm_mma_block(const GemmMmaParameters<T>& p, const OperandA& a, const OperandB& b) {
  auto* shared = dynamic_shared<unsigned char>();
  const TileOfC tile = tile_of_block(static_cast<int>(blockIdx.x), (p.m + Config::kBlockM - 1) / Config::kBlockM,
                                     (p.n + Config::kBlockN - 1) / Config::kBlockN);
  const int first_row = tile.row * Config::kBlockM;
  const int first_column = tile.column * Config::kBlockN;
  const DepthRange range = depth_range<Config::kDepth>(static_cast<int>(blockIdx.y), p.depths, p.k);
  LoaderA load_a(a, first_row, range.begin, range.end);
  LoaderB load_b(b, first_column, range.begin, range.end);
  typename Config::Product product;
  mma_mainloop<Config>(load_a, load_b, range.tiles, shared, product);
  const std::int64_t first = blockIdx.y * p.c_split + blockIdx.z * p.c_matrix;
  store_product<Config>(product, shared, p.output, first_row, first_column,
                        [&](int row) { return first + std::int64_t{row} * p.n; });
}

/// Rows of a and b that are multiples of 16 bytes.
template <class Config, Major MajorA, Major MajorB, class T>
__global__ void __launch_bounds__(Config::kThreads, Config::kBlocks) gemm_mma_kernel(GemmMmaParameters<T> p) {
  using LoaderA = MatrixLoader<T, Config::kBlockM, MajorA, Config::kThreads>;
  using LoaderB = MatrixLoader<T, Config::kBlockN, MajorB, Config::kThreads>;
  gemm_mma_block<Config, LoaderA, LoaderB>(p, MatrixOperand<T>{p.a + blockIdx.z * p.a_matrix, p.a_pitch, p.m},
                                           MatrixOperand<T>{p.b + blockIdx.z * p.b_matrix, p.b_pitch, p.n});
}

/// Any rows.
template <class Config, class T>
__global__ void __launch_bounds__(Config::kThreads)
    gemm_mma_strided_kernel(GemmMmaParameters<T> p, bool transpose_a, bool transpose_b) {
  using LoaderA = StridedLoader<T, Config::kBlockM, Config::kThreads>;
  using LoaderB = StridedLoader<T, Config::kBlockN, Config::kThreads>;
  gemm_mma_block<Config, LoaderA, LoaderB>(
      p,
      StridedOperand<T>{p.a + blockIdx.z * p.a_matrix, transpose_a ? 1 : p.a_pitch, transpose_a ? p.a_pitch : 1, p.m},
      StridedOperand<T>{p.b + blockIdx.z * p.b_matrix, transpose_b ? p.b_pitch : 1, transpose_b ? 1 : p.b_pitch, p.n});
}

/// The kernel for the operands' layouts.
template <class Config, class T>
auto gemm_mma_kernel_for(bool transpose_a, bool transpose_b) {
  if (transpose_a)
    return transpose_b ? gemm_mma_kernel<Config, Major::mn, Major::k, T>
                       : gemm_mma_kernel<Config, Major::mn, Major::mn, T>;
  return transpose_b ? gemm_mma_kernel<Config, Major::k, Major::k, T> : gemm_mma_kernel<Config, Major::k, Major::mn, T>;
}

/// Launches the kernel for the plan's tile, or the strided one, over slices of the batch that a grid can hold.
template <class T>
void gemm_mma(const Stream& stream, const char* name, const GemmProblem& problem, const TilePlan& plan,
              const GemmArguments& arguments) {
  constexpr std::int64_t kMostMatrices = 65535;
  const bool whole_rows = (problem.transpose_a ? problem.m : problem.k) % kVectorElements<T> == 0 &&
                          (problem.transpose_b ? problem.k : problem.n) % kVectorElements<T> == 0 &&
                          aligned_to_16(arguments.a, arguments.b);
  const bool f32 = problem.output == DType::f32;
  const auto launch_config = [&]<class Config>(Config, std::int64_t matrices, const GemmMmaParameters<T>& p) {
    const std::int64_t tiles = divide_up(problem.m, Config::kBlockM) * divide_up(problem.n, Config::kBlockN);
    const LaunchConfig config{
        .kernel = name,
        .grid = {static_cast<unsigned>(tiles), static_cast<unsigned>(plan.splits), static_cast<unsigned>(matrices)},
        .block = Config::kThreads,
        .shared_bytes = Config::kSharedBytes};
    if (whole_rows) {
      launch(stream, config, gemm_mma_kernel_for<Config, T>(problem.transpose_a, problem.transpose_b), p);
    } else if constexpr (Config::kBlockM == 64) {
      launch(stream, config, gemm_mma_strided_kernel<Config, T>, p, problem.transpose_a, problem.transpose_b);
    }
  };
  for (std::int64_t first = 0; first < problem.batch; first += kMostMatrices) {
    const std::int64_t matrices = problem.batch - first < kMostMatrices ? problem.batch - first : kMostMatrices;
    const std::int64_t c_matrix = problem.m * problem.n;
    auto* c =
        static_cast<unsigned char*>(arguments.c) + first * c_matrix * static_cast<std::int64_t>(f32 ? 4 : sizeof(T));
    const GemmMmaParameters<T> p{
        .a = static_cast<const T*>(arguments.a) + first * problem.m * problem.k,
        .b = static_cast<const T*>(arguments.b) + first * problem.k * problem.n,
        .output = {.data = c,
                   .bias = arguments.bias,
                   .rows = static_cast<int>(problem.m),
                   .columns = static_cast<int>(problem.n),
                   .relu = problem.relu,
                   .f32 = f32,
                   .vectors = problem.n % (f32 ? 4 : kVectorElements<T>) == 0 && aligned_to_16(c)},
        .a_matrix = problem.m * problem.k,
        .b_matrix = problem.k * problem.n,
        .c_matrix = c_matrix,
        .c_split = c_matrix * problem.batch,
        .m = static_cast<int>(problem.m),
        .n = static_cast<int>(problem.n),
        .k = static_cast<int>(problem.k),
        .a_pitch = static_cast<int>(problem.transpose_a ? problem.m : problem.k),
        .b_pitch = static_cast<int>(problem.transpose_b ? problem.k : problem.n),
        .depths = plan.depths_a_split};
    if (whole_rows && plan.tile.m == 128) {
      launch_config(Mma128x128<T>{}, matrices, p);
    } else {
      launch_config(Mma64x64<T>{}, matrices, p);
    }
  }
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
