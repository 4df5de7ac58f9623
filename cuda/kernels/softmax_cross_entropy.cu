// The mean over rows of the cross-entropy between softmax(logits) and smoothed labels, and its gradient.
//
// count_used_kernel counts the rows that are not ignored, for the mean. softmax_cross_entropy_kernel: a block of 32,
// 128 or 512 threads, by the number of classes, takes a row: one sweep keeps the largest logit and the sum of
// exponentials relative to it (rescaled whenever a larger one comes), a second one, out of the cache, writes dlogits. A
// block takes every gridDim.x-th row and leaves the sum of its losses. finish_loss_kernel adds those in a fixed order.
// Bound: memory, logits once and dlogits once; at a classifier's sizes the three launches.

#include "cuda/kernels/softmax_cross_entropy.h"

#include <cmath>

#include "cuda/kernels/device/logits.cuh"
#include "cuda/kernels/device/reduce.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kCountBlocks = kWarpThreads;

struct Workspace {
  std::int64_t used[kCountBlocks];  ///< rows that are not ignored
  float losses[kMostRowBlocks];
};

__global__ void count_used_kernel(const std::int64_t* labels, std::int64_t rows, Workspace* workspace) {
  std::int64_t used = 0;
  const std::int64_t stride = std::int64_t{gridDim.x} * kBlockThreads;
  for (std::int64_t row = std::int64_t{blockIdx.x} * kBlockThreads + threadIdx.x; row < rows; row += stride)
    used += labels[row] != kIgnoredLabel ? 1 : 0;
  used = block_sum<kBlockThreads>(used);
  if (threadIdx.x == 0) workspace->used[blockIdx.x] = used;
}

/// The sum of what `blocks` blocks have counted.
__device__ __forceinline__ float rows_used(const Workspace& workspace, int blocks) {
  return static_cast<float>(warp_sum(lane_index() < blocks ? workspace.used[lane_index()] : 0));
}

/// The sum of exp(logit - largest) over the logits seen so far; NaN logits make it NaN.
struct Exponentials {
  float largest = -INFINITY;
  float sum = 0.0f;

  __device__ __forceinline__ void add(float logit) {
    if (logit > largest) {
      sum *= expf(largest - logit);
      largest = logit;
    }
    // Before the first finite logit `largest` is -inf, and the difference of the two would be NaN.
    sum += logit == -INFINITY ? 0.0f : expf(logit - largest);
  }
  /// The same sum relative to a logit that is at least as large.
  __device__ __forceinline__ float relative_to(float larger) const {
    return larger == largest ? sum : sum * expf(largest - larger);
  }
};

/// The target of a row: `on_label` + `everywhere` at its label, `everywhere` elsewhere.
struct Target {
  float on_label;
  float everywhere;
};

template <int kThreads, int N, class T>
__global__ void softmax_cross_entropy_kernel(const T* logits, const std::int64_t* labels, std::int64_t rows,
                                             std::int64_t classes, Target target, Workspace* workspace,
                                             int count_blocks, T* dlogits) {
  const float share = 1.0f / rows_used(*workspace, count_blocks);
  float loss = 0.0f;
  for (std::int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const std::int64_t label = labels[row];
    const T* from = logits + row * classes;
    T* to = dlogits == nullptr ? nullptr : dlogits + row * classes;
    if (label == kIgnoredLabel) {
      for (std::int64_t c = threadIdx.x; to != nullptr && c < classes; c += kThreads) to[c] = from_float<T>(0.0f);
      continue;
    }
    const bool known = label >= 0 && label < classes;
    const float label_logit = known ? to_float(from[label]) : NAN;
    Exponentials mine;
    float total = 0.0f;
    for_each_class<kThreads, N>(from, classes, [&](std::int64_t, float logit) {
      mine.add(logit);
      total += logit;
    });
    __syncthreads();  // dlogits may be the logits: label_logit is read before they are written
    const float largest = block_reduce<kThreads>(mine.largest, -INFINITY, Maximum{});
    const float sum = block_sum<kThreads>(mine.relative_to(largest));
    // A target of 0 times a log-probability of -inf is nothing, not NaN.
    loss += logf(sum);
    if (target.on_label != 0.0f || !known) loss -= target.on_label * (label_logit - largest);
    if (target.everywhere != 0.0f) {
      const auto count = static_cast<float>(classes);
      loss -= target.everywhere * (block_sum<kThreads>(total) - count * largest);
    }
    if (to == nullptr) continue;
    const float inverse = known ? 1.0f / sum : NAN;
    for (std::int64_t first = std::int64_t{threadIdx.x} * N; first < classes; first += kThreads * N) {
      float value[N];
      load_floats<N>(from + first, value);
#pragma unroll
      for (int k = 0; k < N; ++k) {
        const float wanted = (first + k == label ? target.on_label : 0.0f) + target.everywhere;
        value[k] = (expf(value[k] - largest) * inverse - wanted) * share;
      }
      store_floats<N>(to + first, value);
    }
  }
  if (threadIdx.x == 0) workspace->losses[blockIdx.x] = loss;
}

__global__ void finish_loss_kernel(const Workspace* workspace, int count_blocks, int blocks, float* loss) {
  const float used = rows_used(*workspace, count_blocks);
  float sum = 0.0f;
  for (int block = static_cast<int>(threadIdx.x); block < blocks; block += kBlockThreads)
    sum += workspace->losses[block];
  sum = block_sum<kBlockThreads>(sum);
  if (threadIdx.x == 0) *loss = used > 0.0f ? sum / used : 0.0f;
}

}  // namespace

std::size_t softmax_cross_entropy_workspace_bytes() { return sizeof(Workspace); }

void softmax_cross_entropy(const Stream& stream, const LabelledLogits& in, double label_smoothing, void* workspace,
                           float* loss, void* dlogits) {
  auto* memory = static_cast<Workspace*>(workspace);
  const auto count_blocks =
      static_cast<int>(std::clamp<std::int64_t>(divide_up(in.rows, 4 * kBlockThreads), 1, kCountBlocks));
  launch(stream, {.kernel = "count_used", .grid = static_cast<unsigned>(count_blocks), .block = kBlockThreads},
         count_used_kernel, in.labels, in.rows, memory);
  const Target target{static_cast<float>(1.0 - label_smoothing),
                      static_cast<float>(label_smoothing / static_cast<double>(std::max<std::int64_t>(in.classes, 1)))};
  const dim3 grid = row_grid(in.rows);
  with_row_types(in.dtype, in.classes, aligned_to_16(in.logits, dlogits), [&](auto type, auto threads, auto vector) {
    using T = decltype(type);
    constexpr int kThreads = decltype(threads)::value;
    launch(stream, {.kernel = "softmax_cross_entropy", .grid = grid, .block = kThreads},
           softmax_cross_entropy_kernel<kThreads, decltype(vector)::value, T>, static_cast<const T*>(in.logits),
           in.labels, in.rows, in.classes, target, memory, count_blocks, static_cast<T*>(dlogits));
  });
  launch(stream, {.kernel = "finish_loss", .grid = 1, .block = kBlockThreads}, finish_loss_kernel, memory, count_blocks,
         static_cast<int>(grid.x), loss);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
