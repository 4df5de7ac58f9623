#pragma once

#include <array>

#include "cuda/kernels/conv_problem.h"
#include "cuda/runtime/stream.h"

// The convolution ladder: y = conv(x, w) in f32 on CUDA cores, from the plainest kernel to the one in use, each step a
// file whose opening comment says what it changes and why. Every step computes the same sums and is checked by the same
// test (tests/cuda/ladder). To keep the steps short they take one group, channels in multiples of 4, tensors that start
// at multiples of 16 bytes, and no bias; the kernel in use has none of these limits.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// y [batch, out_height, out_width, out_channels] from x [batch, height, width, channels] and w [out_channels,
/// kernel_height, kernel_width, channels].
using ConvLadderStep = void (*)(const Stream& stream, const ConvProblem& problem, const float* x, const float* w,
                                float* y);

void conv_ladder_naive(const Stream& stream, const ConvProblem& problem, const float* x, const float* w, float* y);
void conv_ladder_shared_tile(const Stream& stream, const ConvProblem& problem, const float* x, const float* w,
                             float* y);
void conv_ladder_register_tile(const Stream& stream, const ConvProblem& problem, const float* x, const float* w,
                               float* y);
void conv_ladder_pixel_table(const Stream& stream, const ConvProblem& problem, const float* x, const float* w,
                             float* y);
void conv_ladder_in_use(const Stream& stream, const ConvProblem& problem, const float* x, const float* w, float* y);

struct NamedConvStep {
  const char* name;
  ConvLadderStep run;
};
inline constexpr std::array<NamedConvStep, 5> kConvLadder{{{"1 naive", conv_ladder_naive},
                                                           {"2 shared tile", conv_ladder_shared_tile},
                                                           {"3 register tile", conv_ladder_register_tile},
                                                           {"4 pixel table", conv_ladder_pixel_table},
                                                           {"5 in use", conv_ladder_in_use}}};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
