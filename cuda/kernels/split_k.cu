// The end of a product whose K was split: partial sums of all ranges are added in ascending order, so that the bits
// depend on nothing but the cut.
//
// Threads: grid-stride, one element of C each; neighbours read neighbouring words of every partial sum.
// Bound: memory; (splits + 1) * count * 4 bytes, mostly from the L2 cache, where the partial sums have just been put.

#include "cuda/kernels/split_k.h"

#include "cuda/kernels/device/dispatch.h"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kThreads = 256;

template <class Out>
__global__ void sum_splits_kernel(const float* partials,  // [splits, count]
                                  const float* bias,      // [columns] or null
                                  Out* c,                 // [count]
                                  SplitSum sum) {
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < sum.count; i += stride) {
    float total = 0.0f;
#pragma unroll 4
    for (int s = 0; s < sum.splits; ++s) total += partials[s * sum.count + i];
    if (bias != nullptr) total += bias[i % sum.columns];
    if (sum.relu) total = total > 0.0f || isnan(total) ? total : 0.0f;
    c[i] = from_float<Out>(total);
  }
}

}  // namespace

void sum_splits(const Stream& stream, const SplitSum& sum, const float* partials, const float* bias, void* c) {
  with_float_type(sum.output, [&](auto type) {
    using Out = decltype(type);
    launch(stream, {.kernel = "sum_splits", .grid = grid_stride_blocks(stream, sum.count, kThreads), .block = kThreads},
           sum_splits_kernel<Out>, partials, bias, static_cast<Out*>(c), sum);
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
