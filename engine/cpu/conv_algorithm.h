#pragma once

#include <string_view>

#include "engine/cpu/conv_problem.h"

namespace graft {

/// The ways in which the CPU backend computes a convolution.
enum class ConvAlgorithm : std::uint8_t {
  direct,             ///< oneDNN, images in NHWC as they are
  blocked,            ///< oneDNN, images reordered to its blocked layouts and back in scratch
  winograd_tiles,     ///< graft's own F(4x4, 3x3), scheduled by tiles
  winograd_channels,  ///< the same, scheduled by output channels
  depthwise,          ///< graft's own, of the gradient of depthwise weights
  onednn_winograd,    ///< oneDNN's F(4x4, 3x3) with reorders: for comparison, never chosen
};

std::string_view name_of(ConvAlgorithm algorithm);

/// The algorithm for a problem: a fixed rule of shape, dtype and instruction set, from the measurements that
/// docs/cpu-convolution.md shows. Nothing is timed at run time, so that bits never depend on a timing.
ConvAlgorithm choose_conv_algorithm(const ConvProblem& problem);

}  // namespace graft
