// Convolution forward on CUDA cores, an implicit matrix product in f32 over f32 or bf16:
// y[pixel][o] = sum over taps and channels of x[pixel moved by the tap][c] * w[o][tap][c], [+ bias[o]]
// [+ residual[pixel][o]] [then ReLU].
//
// Threads: device/conv_gather_gemm.cuh. A tile's rows are pixels of y, its columns output channels of one group; the
// sum runs over kernel rows, kernel columns and channels, in the order in which w lies in memory, so that few
// channels waste nothing. Loads are of 4 elements where a group's channels are a multiple of 4, of one elsewhere.
// Bound: arithmetic; 2 * y_count * taps * group_channels FLOPs. 64 multiply-adds a thread for 4 reads of shared
// memory.
// Registers (nvcc 13, sm_90, vector loads, f32): tile 128x128 128, 64x64 139, 128x32 96, 128x16 105; no spills on
// sm_80 and sm_90.

#include "cuda/kernels/conv_simt_forward.h"

#include "cuda/kernels/device/conv_forward_gemm.cuh"
#include "cuda/kernels/device/conv_gather_gemm.cuh"
#include "cuda/kernels/device/dispatch.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

void conv_simt_forward(const Stream& stream, DType dtype, const ConvProblem& problem, const void* x, const void* w,
                       const ConvEpilogue& epilogue, void* y) {
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    GatherGemmTensors<T> tensors{.gathered = static_cast<const T*>(x),
                                 .w = static_cast<const T*>(w),
                                 .bias = epilogue.bias,
                                 .residual = static_cast<const T*>(epilogue.residual),
                                 .relu = epilogue.relu,
                                 .y = static_cast<T*>(y)};
    tensors.vector_stores = problem.group_outputs() % 4 == 0 && aligned_to_16(y, epilogue.residual);
    const bool vectors = problem.group_channels() % 4 == 0 && aligned_to_16(tensors.gathered, tensors.w);
    const GatherGemms gemms{{forward_gemm(problem)}};
    const auto run = vectors ? launch_gather_gemm<WeightsAlongK, 4, T> : launch_gather_gemm<WeightsAlongK, 1, T>;
    run(stream, "conv_simt_forward", gemms, 1, problem.groups, tensors);
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
