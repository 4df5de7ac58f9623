// Convolution forward on CUDA cores, an implicit matrix product in f32 over f32 or bf16:
// y[pixel][o] = sum over taps and channels of x[pixel moved by the tap][c] * w[o][tap][c], [+ bias[o]] [then ReLU].
//
// Threads: device/conv_gather_gemm.cuh. A tile's rows are pixels of y, its columns output channels of one group; the
// sum runs over kernel rows, kernel columns and channels, in the order in which w lies in memory, so that few channels
// waste nothing. Loads are of 4 elements where a group's channels are a multiple of 4, of one elsewhere. Bound:
// arithmetic; 2 * y_count * taps * group_channels FLOPs. 64 multiply-adds a thread for 4 reads of shared memory.

#include "cuda/kernels/conv_simt_forward.h"

#include <algorithm>

#include "cuda/kernels/device/conv_gather_gemm.cuh"
#include "cuda/kernels/device/dispatch.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

GatherGemm forward_gemm(const ConvProblem& p) {
  GatherGemm gemm;
  gemm.image = {static_cast<int>(p.height), static_cast<int>(p.width), p.channels};
  gemm.images = p.batch;
  gemm.rows = static_cast<int>(p.out_height);
  gemm.columns = static_cast<int>(p.out_width);
  gemm.h_first = -static_cast<int>(p.padding.top);
  gemm.w_first = -static_cast<int>(p.padding.left);
  gemm.h_step = static_cast<int>(p.stride.height);
  gemm.w_step = static_cast<int>(p.stride.width);
  gemm.taps = tap_digits(p.kernel_height, p.kernel_width, p.group_channels());
  gemm.turn = digits_of(kTileK, gemm.taps);
  gemm.tap_h = static_cast<int>(p.dilation.height);
  gemm.tap_w = static_cast<int>(p.dilation.width);
  gemm.out_image = p.out_height * p.out_width * p.out_channels;
  gemm.out_row = p.out_width * p.out_channels;
  gemm.out_column = p.out_channels;
  gemm.outputs = static_cast<int>(p.group_outputs());
  gemm.w_output = p.taps() * p.group_channels();
  gemm.w_group = p.group_outputs() * gemm.w_output;
  return gemm;
}

}  // namespace

void conv_simt_forward(const Stream& stream, DType dtype, const ConvProblem& problem, const void* x, const void* w,
                       const float* bias, bool relu, void* y) {
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    GatherGemmTensors<T> tensors{static_cast<const T*>(x), static_cast<const T*>(w), bias, relu, static_cast<T*>(y)};
    tensors.vector_stores = problem.group_outputs() % 4 == 0 && aligned_to_16(tensors.y);
    const bool vectors = problem.group_channels() % 4 == 0 && aligned_to_16(tensors.gathered, tensors.w);
    const GatherGemms gemms{{forward_gemm(problem)}};
    const auto run = vectors ? launch_gather_gemm<WeightsAlongK, 4, T> : launch_gather_gemm<WeightsAlongK, 1, T>;
    run(stream, "conv_simt_forward", gemms, 1, problem.groups, tensors);
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
