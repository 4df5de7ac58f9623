// The mean over entries of the binary cross-entropy between sigmoid(logit) and target, and its gradient.
//
// count_targets_kernel counts the entries that are not ignored, for the mean. sigmoid_cross_entropy_kernel: a thread
// takes every (blocks * 256)-th entry; a block leaves the sum of its losses. finish_mean_kernel adds those in a fixed
// order.
// Bound: memory, logits and targets once and dlogits once; at a classifier's sizes the three launches.

#include "cuda/kernels/sigmoid_cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/logistic.cuh"
#include "cuda/kernels/device/reduce.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kCountBlocks = kWarpThreads;
constexpr std::int64_t kMostBlocks = 1024;

struct Workspace {
  std::int64_t used[kCountBlocks];  ///< entries that are not ignored
  float losses[kMostBlocks];
};

/// body(i) for the entries that fall to this thread.
template <class Body>
__device__ __forceinline__ void for_each_entry(std::int64_t count, const Body& body) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kBlockThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kBlockThreads + threadIdx.x; i < count; i += stride) body(i);
}

__global__ void count_targets_kernel(const float* targets, std::int64_t count, Workspace* workspace) {
  std::int64_t used = 0;
  for_each_entry(count, [&](std::int64_t i) { used += targets[i] < 0.0f ? 0 : 1; });
  used = block_sum<kBlockThreads>(used);
  if (threadIdx.x == 0) workspace->used[blockIdx.x] = used;
}

/// The sum of what `blocks` blocks have counted.
__device__ __forceinline__ float entries_used(const Workspace& workspace, int blocks) {
  return static_cast<float>(warp_sum(lane_index() < blocks ? workspace.used[lane_index()] : 0));
}

template <class T>
__global__ void sigmoid_cross_entropy_kernel(const T* logits, const float* targets, std::int64_t count,
                                             Workspace* workspace, int count_blocks, T* dlogits) {
  const float share = 1.0f / entries_used(*workspace, count_blocks);
  float loss = 0.0f;
  for_each_entry(count, [&](std::int64_t i) {
    const float target = targets[i];
    const float x = to_float(logits[i]);
    float gradient = 0.0f;
    if (!(target < 0.0f)) {
      const float t = target <= 1.0f ? target : NAN;
      // |x| counts where the target is on the other side; a weight of 0 is nothing even where the logit is infinite.
      const float weight = x > 0.0f ? 1.0f - t : t;
      const float magnitude = fabsf(x);
      loss += (weight == 0.0f ? 0.0f : weight * magnitude) + log1pf(expf(-magnitude));
      const Logistic s(x);
      gradient = ((1.0f - t) * s.value - t * s.complement) * share;
    }
    if (dlogits != nullptr) dlogits[i] = from_float<T>(gradient);
  });
  loss = block_sum<kBlockThreads>(loss);
  if (threadIdx.x == 0) workspace->losses[blockIdx.x] = loss;
}

__global__ void finish_mean_kernel(const Workspace* workspace, int count_blocks, int blocks, float* loss) {
  const float used = entries_used(*workspace, count_blocks);
  float sum = 0.0f;
  for (int block = static_cast<int>(threadIdx.x); block < blocks; block += kBlockThreads)
    sum += workspace->losses[block];
  sum = block_sum<kBlockThreads>(sum);
  if (threadIdx.x == 0) *loss = used > 0.0f ? sum / used : 0.0f;
}

}  // namespace

std::size_t sigmoid_cross_entropy_workspace_bytes() { return sizeof(Workspace); }

void sigmoid_cross_entropy(const Stream& stream, const TargetedLogits& in, void* workspace, float* loss,
                           void* dlogits) {
  auto* memory = static_cast<Workspace*>(workspace);
  const auto count_blocks =
      static_cast<int>(std::clamp<std::int64_t>(divide_up(in.count, 4 * kBlockThreads), 1, kCountBlocks));
  launch(stream, {.kernel = "count_targets", .grid = static_cast<unsigned>(count_blocks), .block = kBlockThreads},
         count_targets_kernel, in.targets, in.count, memory);
  const dim3 grid = blocks_for(std::min(divide_up(in.count, kBlockThreads), kMostBlocks));
  with_float_type(in.dtype, [&](auto type) {
    using T = decltype(type);
    launch(stream, {.kernel = "sigmoid_cross_entropy", .grid = grid, .block = kBlockThreads},
           sigmoid_cross_entropy_kernel<T>, static_cast<const T*>(in.logits), in.targets, in.count, memory,
           count_blocks, static_cast<T*>(dlogits));
  });
  launch(stream, {.kernel = "finish_mean", .grid = 1, .block = kBlockThreads}, finish_mean_kernel, memory, count_blocks,
         static_cast<int>(grid.x), loss);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
