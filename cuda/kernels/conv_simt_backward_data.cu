// Convolution backward data on CUDA cores, an implicit matrix product in f32 over f32 or bf16:
// dx[pixel][c] = sum over the taps that lead from an output pixel to this one, and over output channels o, of
// dy[that pixel][o] * w[o][tap][c].
//
// With a stride s, a row of dx meets the kernel rows kh for which kh * dilation is congruent to row + padding modulo s,
// and no others. So the rows and columns of dx fall into classes by their residue, each with kernel rows and columns of
// its own at constant steps, and each class is a product without a wasted step; up to four classes go in one launch. A
// class without taps is written as zeros.
//
// Threads: device/conv_gather_gemm.cuh. A tile's rows are pixels of dx of one class, its columns input channels of
// one group; the sum runs over the class's taps and output channels. Loads are of 4 elements where both channel
// counts of a group are multiples of 4.
// Bound: arithmetic; 2 * y_count * taps * group_channels FLOPs.
// Registers (nvcc 13, sm_90, vector loads, f32): tile 128x128 127, 64x64 161, 128x32 103, 128x16 128; no spills on
// sm_80 and sm_90.

#include "cuda/kernels/conv_simt_backward_data.h"

#include <numeric>

#include "cuda/kernels/device/conv_gather_gemm.cuh"
#include "cuda/kernels/device/dispatch.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// Along one axis: the positions of dx with (position + padding) % stride == residue, and their taps.
struct ResidueClass {
  std::int64_t first = 0;      ///< position of dx
  std::int64_t count = 0;      ///< positions, `stride` apart
  std::int64_t dy_first = 0;   ///< where the first position meets dy with the first tap
  std::int64_t tap_first = 0;  ///< index in the kernel
  std::int64_t tap_step = 1;   ///< between indices in the kernel
  std::int64_t taps = 0;
  std::int64_t tap_move = 0;  ///< from one tap to the next, in dy
};

ResidueClass residue_class(std::int64_t residue, std::int64_t size, std::int64_t kernel, std::int64_t stride,
                           std::int64_t dilation, std::int64_t padding) {
  ResidueClass result;
  result.first = ((residue - padding) % stride + stride) % stride;
  result.count = result.first < size ? divide_up(size - result.first, stride) : 0;
  const std::int64_t divisor = std::gcd(stride, dilation);
  result.tap_step = stride / divisor;
  result.tap_move = -dilation / divisor;
  while (result.tap_first < kernel && result.tap_first < result.tap_step &&
         result.tap_first * dilation % stride != residue)
    ++result.tap_first;
  if (result.tap_first < kernel && result.tap_first < result.tap_step)
    result.taps = divide_up(kernel - result.tap_first, result.tap_step);
  result.dy_first = result.taps == 0 ? 0 : (result.first + padding - result.tap_first * dilation) / stride;
  return result;
}

GatherGemm class_gemm(const ConvProblem& p, const ResidueClass& h, const ResidueClass& w) {
  GatherGemm gemm;
  gemm.image = {static_cast<int>(p.out_height), static_cast<int>(p.out_width), p.out_channels};
  gemm.images = p.batch;
  gemm.rows = static_cast<int>(h.count);
  gemm.columns = static_cast<int>(w.count);
  gemm.h_first = static_cast<int>(h.dy_first);
  gemm.w_first = static_cast<int>(w.dy_first);
  gemm.h_step = gemm.w_step = 1;
  gemm.taps = tap_digits(h.taps, w.taps, p.group_outputs());
  gemm.turn = digits_of(kTileK, gemm.taps);
  gemm.tap_h = static_cast<int>(h.tap_move);
  gemm.tap_w = static_cast<int>(w.tap_move);
  gemm.out_first = (h.first * p.width + w.first) * p.channels;
  gemm.out_image = p.height * p.width * p.channels;
  gemm.out_row = p.stride.height * p.width * p.channels;
  gemm.out_column = p.stride.width * p.channels;
  gemm.outputs = static_cast<int>(p.group_channels());
  const std::int64_t tap = p.group_channels();
  gemm.w_start = (h.tap_first * p.kernel_width + w.tap_first) * tap;
  gemm.w_tap_row = h.tap_step * p.kernel_width * tap;
  gemm.w_tap_column = w.tap_step * tap;
  gemm.w_channel = p.taps() * tap;
  gemm.w_group = p.group_outputs() * gemm.w_channel;
  return gemm;
}

/// visit(gemm) for every class that has pixels.
template <class Visit>
void for_each_class(const ConvProblem& p, const Visit& visit) {
  for (std::int64_t rh = 0; rh < p.stride.height; ++rh) {
    const ResidueClass h =
        residue_class(rh, p.height, p.kernel_height, p.stride.height, p.dilation.height, p.padding.top);
    for (std::int64_t rw = 0; rw < p.stride.width; ++rw) {
      const ResidueClass w =
          residue_class(rw, p.width, p.kernel_width, p.stride.width, p.dilation.width, p.padding.left);
      if (h.count > 0 && w.count > 0) visit(class_gemm(p, h, w));
    }
  }
}

}  // namespace

void conv_simt_backward_data(const Stream& stream, DType dtype, const ConvProblem& problem, const void* dy,
                             const void* w, void* dx) {
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    GatherGemmTensors<T> tensors{
        .gathered = static_cast<const T*>(dy), .w = static_cast<const T*>(w), .y = static_cast<T*>(dx)};
    tensors.vector_stores = problem.group_channels() % 4 == 0 && aligned_to_16(tensors.y);
    const bool vectors = problem.group_channels() % 4 == 0 && problem.group_outputs() % 4 == 0 &&
                         aligned_to_16(tensors.gathered, tensors.w);
    const auto run =
        vectors ? launch_gather_gemm<WeightsAlongOutputs, 4, T> : launch_gather_gemm<WeightsAlongOutputs, 1, T>;
    GatherGemms gemms{};
    int count = 0;
    const auto flush = [&] {
      if (count > 0) run(stream, "conv_simt_backward_data", gemms, count, problem.groups, tensors);
      count = 0;
    };
    for_each_class(problem, [&](const GatherGemm& gemm) {
      gemms.of[count++] = gemm;
      if (count == GatherGemms::kMost) flush();
    });
    flush();
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
