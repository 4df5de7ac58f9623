#pragma once

#include <memory>

#include "engine/cpu/winograd_plan.h"

namespace graft {

/// make_winograd_plan for the gradient of the weights.
std::unique_ptr<Plan> make_winograd_gradient_plan(const ConvProblem& problem, WinogradSchedule schedule);

}  // namespace graft
