#include "engine/cpu/conv_algorithm.h"

#include <algorithm>

#include "engine/cpu/depthwise_gradient_plan.h"
#include "engine/cpu/winograd_plan.h"

namespace graft {
namespace {

/// Pixels that whole 4x4 tiles compute for one that is wanted.
double tile_waste(const ConvProblem& problem) {
  const Shape& image = problem.kind == ConvKind::backward_data ? problem.x : problem.y;
  const std::int64_t height = image[1], width = image[2];
  const std::int64_t tiles = ((height + 3) / 4) * ((width + 3) / 4);
  return static_cast<double>(16 * tiles) / static_cast<double>(height * width);
}

/// The waste up to which Winograd is faster than oneDNN's direct convolution; 0: it is slower even without any.
/// In bf16 direct runs at twice its f32 rate, while Winograd computes in f32 either way.
double worthwhile_waste(const ConvProblem& problem) {
  const std::int64_t fewer = std::min(problem.in_channels(), problem.out_channels());
  const std::int64_t more = std::max(problem.in_channels(), problem.out_channels());
  if (fewer < 16) return 0.0;
  if (problem.dtype == DType::f32) return more >= 32 ? 2.2 : 1.25;
  if (problem.kind == ConvKind::backward_weights) return 1.35;
  if (fewer < 32) return 0.0;
  return fewer * more > 256 * 256 ? 1.2 : 1.35;
}

/// Many channels and few tiles: better to transform weights once, next to their use, than to share 36 of their sizes.
bool prefers_channels(const ConvProblem& problem) {
  const std::int64_t channels = problem.in_channels() * problem.out_channels();
  if (problem.kind != ConvKind::backward_weights) return channels > 256 * 256;
  return channels >= 256 * 256 && winograd_scratch_by_channels(problem) <= (std::size_t{64} << 20);
}

}  // namespace

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
    case ConvAlgorithm::depthwise:
      return "depthwise";
    case ConvAlgorithm::onednn_winograd:
      return "onednn_winograd";
  }
  return "";
}

ConvAlgorithm choose_conv_algorithm(const ConvProblem& problem) {
  // One channel: oneDNN's kernels for first layers want NCHW, which then has the same bytes as NHWC.
  if (problem.in_channels() == 1) return ConvAlgorithm::blocked;
  if (depthwise_gradient_covers(problem)) return ConvAlgorithm::depthwise;
  if (!winograd_covers(problem) || tile_waste(problem) > worthwhile_waste(problem)) return ConvAlgorithm::direct;
  return prefers_channels(problem) ? ConvAlgorithm::winograd_channels : ConvAlgorithm::winograd_tiles;
}

}  // namespace graft
