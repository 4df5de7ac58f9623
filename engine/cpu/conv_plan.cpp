#include "engine/cpu/conv_plan.h"

#include "engine/base/error.h"
#include "engine/cpu/conv_onednn.h"
#include "engine/cpu/depthwise_gradient_plan.h"
#include "engine/cpu/winograd_plan.h"

namespace graft {
namespace {

PlanKey key_of(const ConvProblem& problem) {
  const auto& [stride, dilation, padding] = problem.options.window;
  const Shape& x = problem.x;
  const Shape& w = problem.w;
  const std::int64_t flags =
      (problem.bias ? 1 : 0) + (problem.options.relu ? 2 : 0) + 4 * static_cast<std::int64_t>(problem.residual);
  // The first number tells convolutions (0, 1, 2) from matrix products.
  return {{static_cast<std::int64_t>(problem.kind),
           static_cast<std::int64_t>(problem.dtype),
           x[0],
           x[1],
           x[2],
           x[3],
           w[0],
           w[1],
           w[2],
           w[3],
           stride.height,
           stride.width,
           dilation.height,
           dilation.width,
           padding.top,
           padding.left,
           padding.bottom,
           padding.right,
           problem.options.groups,
           flags}};
}

std::unique_ptr<Plan> choose_conv_plan(const OnednnContext& context, const ConvProblem& problem) {
  if (auto plan = make_conv_plan(context, problem, choose_conv_algorithm(problem))) return plan;
  if (auto plan = make_conv_plan(context, problem, ConvAlgorithm::direct)) return plan;
  if (auto plan = make_conv_plan(context, problem, ConvAlgorithm::blocked)) return plan;
  fail(ErrorKind::failure, "[conv2d] no implementation for {} on this processor; use f32", problem.str());
}

}  // namespace

std::unique_ptr<Plan> make_conv_plan(const OnednnContext& context, const ConvProblem& problem,
                                     ConvAlgorithm algorithm) {
  switch (algorithm) {
    case ConvAlgorithm::direct:
      return make_onednn_conv_plan(context, problem, OnednnConvLayout::plain);
    case ConvAlgorithm::blocked:
      return make_onednn_conv_plan(context, problem, OnednnConvLayout::blocked);
    case ConvAlgorithm::winograd_tiles:
    case ConvAlgorithm::winograd_channels:
      if (!winograd_covers(problem)) return nullptr;
      return make_winograd_plan(problem, algorithm == ConvAlgorithm::winograd_tiles ? WinogradSchedule::by_tiles
                                                                                    : WinogradSchedule::by_channels);
    case ConvAlgorithm::depthwise:
      return depthwise_gradient_covers(problem) ? make_depthwise_gradient_plan(problem) : nullptr;
    case ConvAlgorithm::onednn_winograd:
      return make_onednn_conv_plan(context, problem, OnednnConvLayout::winograd_blocked);
  }
  return nullptr;
}

Plan& conv_plan(OnednnContext& context, const ConvProblem& problem) {
  return context.plan(key_of(problem), [&] { return choose_conv_plan(context, problem); });
}

}  // namespace graft
