#pragma once

#include <cstddef>
#include <memory>

#include "engine/cpu/conv_problem.h"
#include "engine/cpu/onednn_plan.h"

namespace graft {

/// How the work of a Winograd convolution is divided.
enum class WinogradSchedule {
  by_tiles,    ///< each thread takes tiles through all three steps, a block at a time; transformed weights are shared
  by_channels  ///< all tiles are transformed first; then each thread takes output channels, with their weights
};

/// True iff graft's own Winograd kernels cover the problem on this processor: AVX-512, 3x3, stride 1, no dilation, one
/// group, padding of at most 2.
bool winograd_covers(const ConvProblem& problem);

/// Scratch that by_channels wants to keep all tiles of a weight gradient transformed, in bytes, about.
std::size_t winograd_scratch_by_channels(const ConvProblem& problem);

/// A plan for a covered problem without extents of 0, for the current number of OpenMP threads.
std::unique_ptr<Plan> make_winograd_plan(const ConvProblem& problem, WinogradSchedule schedule);

}  // namespace graft
