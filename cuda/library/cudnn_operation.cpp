#if defined(GRAFT_WITH_CUDNN) && !defined(GRAFT_CUDA_EMULATED)
#include "cuda/library/cudnn_operation.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

cudnnDataType_t cudnn_type(DType dtype) { return dtype == DType::bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT; }

/// A tensor of logical extents n, c, h, w whose memory is in the order n, h, w, c.
CudnnDescriptor tensor(const CudnnApi& api, CudnnTensorId id, DType dtype, std::int64_t n, std::int64_t c,
                       std::int64_t h, std::int64_t w) {
  CudnnDescriptor result(api, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  result.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, cudnn_type(dtype))
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, {n, c, h, w})
      .set(CUDNN_ATTR_TENSOR_STRIDES, {h * w * c, 1, w * c, c})
      .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, {id})
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {static_cast<std::int64_t>(ConvLibrary::kAlignment)})
      .finalize();
  return result;
}

CudnnDescriptor convolution(const CudnnApi& api, const ConvProblem& p) {
  CudnnDescriptor result(api, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  result.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION)
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {2})
      .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {p.padding.top, p.padding.left})
      .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {p.padding.bottom, p.padding.right})
      .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {p.dilation.height, p.dilation.width})
      .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {p.stride.height, p.stride.width})
      .finalize();
  return result;
}

/// What an operation and its attributes are called for each pass.
struct PassNames {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t x, w, y, convolution, alpha, beta;
};

PassNames names_of(ConvPass pass) {
  switch (pass) {
    case ConvPass::forward:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
    case ConvPass::backward_data:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
    default:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
  }
}

}  // namespace

CudnnOperation cudnn_conv_operation(const CudnnApi& api, ConvPass pass, const ConvProblem& p, DType dtype) {
  const DType w_dtype = pass == ConvPass::backward_weights ? DType::f32 : dtype;
  const PassNames names = names_of(pass);
  CudnnOperation operation{{}, CudnnDescriptor(api, names.operation)};
  std::vector<CudnnDescriptor>& parts = operation.parts;
  parts.push_back(tensor(api, kCudnnX, dtype, p.batch, p.channels, p.height, p.width));
  parts.push_back(tensor(api, kCudnnW, w_dtype, p.out_channels, p.group_channels(), p.kernel_height, p.kernel_width));
  parts.push_back(tensor(api, kCudnnY, dtype, p.batch, p.out_channels, p.out_height, p.out_width));
  parts.push_back(convolution(api, p));
  operation.descriptor.set(names.x, parts[0])
      .set(names.w, parts[1])
      .set(names.y, parts[2])
      .set(names.convolution, parts[3])
      .set(names.alpha, CUDNN_TYPE_FLOAT, 1.0f)
      .set(names.beta, CUDNN_TYPE_FLOAT, 0.0f)
      .finalize();
  return operation;
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
#endif
