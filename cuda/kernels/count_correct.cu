// How many rows have their label among the k largest logits. No sorting: a label is among them iff fewer than k logits
// are larger, or equal at a lower index.
//
// Threads: a block of 32, 128 or 512 threads, by the number of classes, takes every gridDim.x-th row and leaves its
// count; one more block adds the counts.
// Bound: memory; logits once. At a classifier's sizes the two launches.

#include "cuda/kernels/count_correct.h"

#include <cmath>

#include "cuda/kernels/device/logits.cuh"
#include "cuda/kernels/device/reduce.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// What a NaN adds to the number of larger logits: more than there are classes.
constexpr std::int64_t kWrong = std::int64_t{1} << 40;

template <int kThreads, int N, class T>
__global__ void count_correct_kernel(const T* logits, const std::int64_t* labels, std::int64_t rows,
                                     std::int64_t classes, std::int64_t k, std::int64_t* counts) {
  std::int64_t correct = 0;
  for (std::int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const std::int64_t label = labels[row];
    if (label < 0 || label >= classes) continue;
    const T* from = logits + row * classes;
    const float of_label = to_float(from[label]);
    std::int64_t larger = 0;
    bool has_nan = false;
    for_each_class<kThreads, N>(from, classes, [&](std::int64_t c, float logit) {
      larger += logit > of_label || (logit == of_label && c < label) ? 1 : 0;
      has_nan = has_nan || isnan(logit);
    });
    larger = block_sum<kThreads>(larger + (has_nan ? kWrong : 0));
    correct += larger < k && larger < kWrong ? 1 : 0;
  }
  if (threadIdx.x == 0) counts[blockIdx.x] = correct;
}

__global__ void add_counts_kernel(const std::int64_t* counts, int blocks, std::int64_t* count) {
  std::int64_t sum = 0;
  for (int block = static_cast<int>(threadIdx.x); block < blocks; block += kBlockThreads) sum += counts[block];
  sum = block_sum<kBlockThreads>(sum);
  if (threadIdx.x == 0) *count = sum;
}

}  // namespace

std::size_t count_correct_workspace_bytes() { return static_cast<std::size_t>(kMostRowBlocks) * sizeof(std::int64_t); }

void count_correct(const Stream& stream, const LabelledLogits& in, std::int64_t k, void* workspace,
                   std::int64_t* count) {
  auto* counts = static_cast<std::int64_t*>(workspace);
  const dim3 grid = row_grid(in.rows);
  with_row_types(in.dtype, in.classes, aligned_to_16(in.logits), [&](auto type, auto threads, auto vector) {
    using T = decltype(type);
    constexpr int kThreads = decltype(threads)::value;
    launch(stream, {.kernel = "count_correct", .grid = grid, .block = kThreads},
           count_correct_kernel<kThreads, decltype(vector)::value, T>, static_cast<const T*>(in.logits), in.labels,
           in.rows, in.classes, k, counts);
  });
  launch(stream, {.kernel = "add_counts", .grid = 1, .block = kBlockThreads}, add_counts_kernel, counts,
         static_cast<int>(grid.x), count);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
