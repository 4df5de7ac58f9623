#pragma once

#include <memory>

#include "engine/cpu/conv_algorithm.h"
#include "engine/cpu/conv_problem.h"
#include "engine/cpu/onednn_context.h"

namespace graft {

/// A plan for `problem` (no extent 0) by `algorithm`; nullptr if the algorithm does not cover it. Arguments of the
/// plan: source, weights, bias, destination, residual are x, w, bias, y, residual forward; dy, w, -, dx for the
/// gradient of the data; x, dy, dbias, dw for the gradient of the weights.
std::unique_ptr<Plan> make_conv_plan(const OnednnContext& context, const ConvProblem& problem, ConvAlgorithm algorithm);

/// The plan that the backend uses, from its cache: the chosen algorithm, or the next one that covers the problem.
/// Throws Error if there is none.
Plan& conv_plan(OnednnContext& context, const ConvProblem& problem);

}  // namespace graft
