#include "engine/cpu/conv_algorithm.h"

#include "engine/cpu/winograd_plan.h"

namespace graft {

std::string_view name_of(ConvAlgorithm algorithm) {
  switch (algorithm) {
    case ConvAlgorithm::direct:
      return "direct";
    case ConvAlgorithm::blocked:
      return "blocked";
    case ConvAlgorithm::winograd_tiles:
      return "winograd_tiles";
    case ConvAlgorithm::winograd_channels:
      return "winograd_channels";
    case ConvAlgorithm::onednn_winograd:
      return "onednn_winograd";
  }
  return "";
}

ConvAlgorithm choose_conv_algorithm(const ConvProblem& problem) {
  if (!winograd_covers(problem)) return ConvAlgorithm::direct;
  if (problem.in_channels() < 16 || problem.out_channels() < 16) return ConvAlgorithm::direct;
  const bool many_channels = problem.in_channels() * problem.out_channels() > 128 * 128;
  return many_channels ? ConvAlgorithm::winograd_channels : ConvAlgorithm::winograd_tiles;
}

}  // namespace graft
