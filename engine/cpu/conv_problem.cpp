#include "engine/cpu/conv_problem.h"

#include <fmt/core.h>

namespace graft {

std::string ConvProblem::str() const {
  constexpr const char* kNames[] = {"forward", "backward_data", "backward_weights"};
  const auto& [stride, dilation, padding] = options.window;
  return fmt::format("{} {} x {} w {} stride {}x{} dilation {}x{} padding {},{},{},{} groups {}{}{}",
                     kNames[static_cast<int>(kind)], name_of(dtype), x.str(), w.str(), stride.height, stride.width,
                     dilation.height, dilation.width, padding.top, padding.left, padding.bottom, padding.right,
                     options.groups, bias ? " bias" : "", residual == ConvResidual::none ? "" : " residual");
}

}  // namespace graft
