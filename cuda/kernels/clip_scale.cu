// The factor that clips gradients to a norm: the squares of all gradients, summed in f64 so that gradients of any
// finite size have a norm, in a fixed order.
//
// Threads: a block sums 4096 neighbouring elements of one tensor (device/tensor_table.cuh), a thread its 16-byte
// vectors in turn, the block as a tree; one more block adds the partial sums. Bound: memory; 4 bytes an element.

#include "cuda/kernels/clip_scale.h"

#include "cuda/kernels/device/reduce.cuh"
#include "cuda/kernels/device/tensor_table.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

__device__ __forceinline__ double squared(float value) {
  return static_cast<double>(value) * static_cast<double>(value);
}

__global__ void sum_squares_kernel(const __grid_constant__ TensorTable<1> table, double* sums) {
  constexpr int kVectors = static_cast<int>(kPieceElements) / (4 * kBlockThreads);
  const TensorPiece<1> piece(table);
  const float* data = piece.data[0];
  const std::int64_t whole = piece.aligned ? piece.count / 4 * 4 : 0;
  Vector<float, 4> vectors[kVectors] = {};
#pragma unroll
  for (int v = 0; v < kVectors; ++v) {
    const std::int64_t at = std::int64_t{4} * (v * kBlockThreads + static_cast<int>(threadIdx.x));
    if (at < whole) vectors[v] = load_vector<4>(data + at);
  }
  double sum = 0.0;
#pragma unroll
  for (const Vector<float, 4>& vector : vectors) {
#pragma unroll
    for (const float value : vector.element) sum += squared(value);
  }
  for (std::int64_t i = whole + threadIdx.x; i < piece.count; i += kBlockThreads) sum += squared(data[i]);
  sum = block_sum<kBlockThreads>(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

__global__ void finish_clip_scale_kernel(const double* sums, std::int64_t count, double max_norm, float* scale,
                                         float* norm) {
  double sum = 0.0;
#pragma unroll 4
  for (std::int64_t i = threadIdx.x; i < count; i += kBlockThreads) sum += sums[i];
  sum = block_sum<kBlockThreads>(sum);
  if (threadIdx.x != 0) return;
  const double length = sqrt(sum);
  const double ratio = max_norm / (length + 1e-6);
  // A NaN norm gives a NaN factor, as in PyTorch: a step that has diverged shall show it.
  *scale = static_cast<float>(ratio > 1.0 ? 1.0 : ratio);
  *norm = static_cast<float>(length);
}

std::int64_t pieces_of(const TensorGroup<1>& gradients) {
  std::int64_t pieces = 0;
  for (const TensorRow<1>& row : gradients) pieces += divide_up(row.count, kPieceElements);
  return pieces;
}

}  // namespace

std::size_t clip_scratch_bytes(const TensorGroup<1>& gradients) {
  return static_cast<std::size_t>(pieces_of(gradients)) * sizeof(double);
}

void clip_scale(const Stream& stream, const TensorGroup<1>& gradients, double max_norm, void* scratch, float* scale,
                float* norm) {
  auto* sums = static_cast<double*>(scratch);
  std::int64_t done = 0;
  for_each_table(gradients, [&](const TensorTable<1>& table) {
    launch(stream, {.kernel = "sum_squares", .grid = table.blocks, .block = kBlockThreads}, sum_squares_kernel, table,
           sums + done);
    done += table.blocks;
  });
  launch(stream, {.kernel = "finish_clip_scale", .grid = 1, .block = kBlockThreads}, finish_clip_scale_kernel, sums,
         done, max_norm, scale, norm);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
