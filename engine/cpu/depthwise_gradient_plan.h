#pragma once

#include <memory>

#include "engine/cpu/conv_problem.h"
#include "engine/cpu/onednn_plan.h"

namespace graft {

/// True iff graft's own kernels are to be used: the gradient of a depthwise convolution's weights in f32, as many
/// groups as input and output channels, at most 64 kernel rows.
bool depthwise_gradient_covers(const ConvProblem& problem);

/// dw, and dbias, of a covered problem without extents of 0, for the current number of OpenMP threads: each sums over
/// rows of its own, and these sums are added in their order.
std::unique_ptr<Plan> make_depthwise_gradient_plan(const ConvProblem& problem);

}  // namespace graft
