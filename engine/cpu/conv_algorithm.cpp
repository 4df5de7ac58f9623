#include "engine/cpu/conv_algorithm.h"

namespace graft {

std::string_view name_of(ConvAlgorithm algorithm) {
  switch (algorithm) {
    case ConvAlgorithm::direct:
      return "direct";
    case ConvAlgorithm::blocked:
      return "blocked";
  }
  return "";
}

ConvAlgorithm choose_conv_algorithm(const ConvProblem&) { return ConvAlgorithm::direct; }

}  // namespace graft
