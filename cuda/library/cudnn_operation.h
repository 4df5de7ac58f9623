#pragma once

#include "cuda/kernels/conv_problem.h"
#include "cuda/library/cudnn_api.h"
#include "cuda/library/library.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Names of a convolution's tensors in cuDNN's variant packs.
enum CudnnTensorId : std::int64_t { kCudnnX = 1, kCudnnW = 2, kCudnnY = 3 };

/// An operation and the descriptors that it was made of, which are kept as long as it.
struct CudnnOperation {
  std::vector<CudnnDescriptor> parts;
  CudnnDescriptor descriptor;
};

/// One pass of a convolution as cuDNN's operation: images and outputs in NHWC, weights in KRSC order of memory, sums in
/// f32; the weights' gradient is f32 whatever the images are.
CudnnOperation cudnn_conv_operation(const CudnnApi& api, ConvPass pass, const ConvProblem& problem, DType dtype);

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
