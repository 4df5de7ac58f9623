#pragma once

#include <functional>
#include <string>

namespace graft {

/// One step of a ladder (cuda/ladder), measured.
struct LadderTime {
  std::string ladder;  ///< "gemm", "convolution" or "row reduction"
  std::string step;    ///< "3 shared tile"
  std::string shape;
  std::string dtype;
  std::string device{};
  double milliseconds = 0.0;
  double bytes = 0.0;  ///< that have to be moved, where that is the bound; else 0
  double flops = 0.0;  ///< that have to be done, likewise
};

/// Times every step of every ladder, in order: the median of five measurements by events, at matrices of 4096, at a
/// layer of ResNet-50 and at the gradient of a bias, extents divided by `shrink`. Throws Error(device) where there is
/// no usable GPU.
void time_cuda_ladders(int shrink, const std::function<void(const LadderTime&)>& report);
/// The same on the emulated device: that the steps run; its figures mean nothing.
void time_cuda_emulated_ladders(int shrink, const std::function<void(const LadderTime&)>& report);

}  // namespace graft
