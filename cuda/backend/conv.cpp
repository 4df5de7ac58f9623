#include <algorithm>
#include <cstdint>

#include "cuda/backend/cuda_backend.h"
#include "cuda/kernels/conv_depthwise.h"
#include "cuda/kernels/conv_mma.h"
#include "cuda/kernels/conv_problem.h"
#include "cuda/kernels/conv_simt_backward_data.h"
#include "cuda/kernels/conv_simt_backward_weights.h"
#include "cuda/kernels/conv_simt_forward.h"
#include "cuda/kernels/sum_rows.h"
#include "engine/backend/contract.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// Kernels count positions within an image, taps and channels in 32 bits, with room to step outside of the image.
void check_extents(const ConvProblem& p) {
  constexpr std::int64_t kMost = std::int64_t{1} << 28;
  const std::int64_t reach_h =
      p.height + p.padding.top + p.padding.bottom + p.kernel_height * p.dilation.height + p.stride.height;
  const std::int64_t reach_w =
      p.width + p.padding.left + p.padding.right + p.kernel_width * p.dilation.width + p.stride.width;
  check(
      reach_h < kMost && reach_w < kMost && p.height * p.width < kMost && p.out_height * p.out_width < kMost &&
          p.taps() * std::max(p.group_channels(), p.group_outputs()) < kMost,
      "[conv2d] images of {} x {}, {} x {} taps of {} to {} channels: one image and one kernel of the CUDA backend end "
      "at 2^28 positions",
      p.height, p.width, p.kernel_height, p.kernel_width, p.group_channels(), p.group_outputs());
}

ConvProblem problem_of(const Shape& x, const Shape& w, const Conv2dOptions& options) {
  const Shape y = conv2d_output_shape(x, w, options);
  const auto& [stride, dilation, padding] = options.window;
  ConvProblem problem{.batch = x[0],
                      .height = x[1],
                      .width = x[2],
                      .channels = x[3],
                      .out_height = y[1],
                      .out_width = y[2],
                      .out_channels = y[3],
                      .kernel_height = w[1],
                      .kernel_width = w[2],
                      .groups = options.groups,
                      .stride = stride,
                      .dilation = dilation,
                      .padding = padding};
  check_extents(problem);
  return problem;
}

float* floats(const Tensor& tensor) { return tensor.defined() ? static_cast<float*>(tensor.raw()) : nullptr; }

/// Tensor cores compute what is bf16, and f32 where it may be rounded to tf32.
bool on_tensor_cores(DType dtype, bool tf32) { return dtype == DType::bf16 || tf32; }

/// What tensor cores load: whole chunks of 16 bytes.
bool aligned(const Tensor& a, const Tensor& b) {
  constexpr std::uintptr_t kChunk = 16;
  return reinterpret_cast<std::uintptr_t>(a.raw()) % kChunk == 0 &&
         reinterpret_cast<std::uintptr_t>(b.raw()) % kChunk == 0;
}

}  // namespace

// Which kernel: a fixed rule of shape, dtype, alignment and tf32. Depthwise problems have kernels of their own; tensor
// cores take what they support; CUDA cores the rest.

void CudaBackend::conv2d_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const Tensor& residual,
                                 const Conv2dOptions& options, const Tensor& scratch, const Tensor& y) {
  check_conv2d_forward(*this, x, w, bias, residual, options, scratch, y);
  const ConvEpilogue epilogue{
      .bias = floats(bias), .residual = residual.defined() ? residual.raw() : nullptr, .relu = options.relu};
  const ConvProblem problem = problem_of(x.shape(), w.shape(), options);
  const DType dtype = x.dtype();
  const auto native = [&] {
    if (conv_depthwise_supports(problem)) {
      conv_depthwise_forward(stream_, dtype, problem, x.raw(), w.raw(), epilogue, y.raw());
    } else if (on_tensor_cores(dtype, tf32()) && conv_mma_forward_supports(problem, dtype) && aligned(x, w)) {
      conv_mma_forward(stream_, dtype, problem, x.raw(), w.raw(), epilogue, y.raw());
    } else {
      conv_simt_forward(stream_, dtype, problem, x.raw(), w.raw(), epilogue, y.raw());
    }
  };
  convolve(ConvPass::forward, problem, dtype,
           {.x = x.raw(), .w = w.raw(), .y = y.raw(), .scratch = scratch.raw(), .epilogue = epilogue}, native);
}

std::size_t CudaBackend::conv2d_forward_scratch_bytes(const Shape& x, const Shape& w, DType dtype,
                                                      const Conv2dOptions& options) {
  return convolve_scratch_bytes(ConvPass::forward, problem_of(x, w, options), dtype, 0);
}

void CudaBackend::conv2d_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                                       const Tensor& scratch, const Tensor& dx) {
  check_conv2d_backward_data(*this, dy, w, options, scratch, dx);
  const ConvProblem problem = problem_of(dx.shape(), w.shape(), options);
  const DType dtype = dx.dtype();
  const auto native = [&] {
    if (conv_depthwise_supports(problem)) {
      conv_depthwise_backward_data(stream_, dtype, problem, dy.raw(), w.raw(), dx.raw());
    } else if (on_tensor_cores(dtype, tf32()) && conv_mma_backward_data_supports(problem, dtype) && aligned(dy, w)) {
      conv_mma_backward_data(stream_, dtype, problem, dy.raw(), w.raw(), dx.raw());
    } else {
      conv_simt_backward_data(stream_, dtype, problem, dy.raw(), w.raw(), dx.raw());
    }
  };
  convolve(ConvPass::backward_data, problem, dtype,
           {.x = dx.raw(), .w = w.raw(), .y = dy.raw(), .scratch = scratch.raw()}, native);
}

std::size_t CudaBackend::conv2d_backward_data_scratch_bytes(const Shape& x, const Shape& w, DType dtype,
                                                            const Conv2dOptions& options) {
  return convolve_scratch_bytes(ConvPass::backward_data, problem_of(x, w, options), dtype, 0);
}

void CudaBackend::conv2d_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options,
                                          const Tensor& scratch, const Tensor& dw, const Tensor& dbias) {
  check_conv2d_backward_weights(*this, x, dy, options, scratch, dw, dbias);
  const ConvProblem problem = problem_of(x.shape(), dw.shape(), options);
  const DType dtype = x.dtype();
  const auto native = [&] {
    if (conv_depthwise_supports(problem)) {
      conv_depthwise_backward_weights(stream_, dtype, problem, x.raw(), dy.raw(), floats(scratch), floats(dw));
    } else if (on_tensor_cores(dtype, tf32()) && conv_mma_backward_weights_supports(problem, dtype) && aligned(x, dy)) {
      conv_mma_backward_weights(stream_, dtype, problem, x.raw(), dy.raw(), floats(scratch), floats(dw));
    } else {
      conv_simt_backward_weights(stream_, dtype, problem, x.raw(), dy.raw(), floats(scratch), floats(dw));
    }
  };
  convolve(ConvPass::backward_weights, problem, dtype,
           {.x = x.raw(), .w = dw.raw(), .y = dy.raw(), .scratch = scratch.raw()}, native);
  if (!dbias.defined()) return;
  cuda::sum_rows(stream_, dtype, dy.raw(), problem.out_pixels(), problem.out_channels, workspace(), kWorkspaceBytes,
                 floats(dbias));
}

std::size_t CudaBackend::conv2d_backward_weights_scratch_bytes(const Shape& x, const Shape& w, DType dtype,
                                                               const Conv2dOptions& options) {
  const ConvProblem problem = problem_of(x, w, options);
  const auto bytes_with = [&](std::size_t native) {
    return convolve_scratch_bytes(ConvPass::backward_weights, problem, dtype, native);
  };
  if (conv_depthwise_supports(problem))
    return bytes_with(conv_depthwise_backward_weights_scratch_bytes(stream_, problem));
  // Where tensors are not aligned, CUDA cores take what tensor cores support: enough for both.
  const std::size_t bytes = conv_simt_backward_weights_scratch_bytes(stream_, problem);
  if (!on_tensor_cores(dtype, tf32()) || !conv_mma_backward_weights_supports(problem, dtype)) return bytes_with(bytes);
  return bytes_with(std::max(bytes, conv_mma_backward_weights_scratch_bytes(stream_.device(), dtype, problem)));
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
