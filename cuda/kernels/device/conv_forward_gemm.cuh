#pragma once

#include "cuda/kernels/conv_problem.h"
#include "cuda/kernels/device/conv_gather_gemm.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Forward convolution as a GatherGemm: x is gathered, k runs over kernel rows, columns and channels, as w lies in
/// memory.
inline GatherGemm forward_gemm(const ConvProblem& p) {
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

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
