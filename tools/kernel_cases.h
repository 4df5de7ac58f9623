#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/backend/backend.h"

namespace graft {

/// A kernel call to be measured, with what it must do at least.
struct KernelCase {
  std::string kernel;      ///< the backend's method, and options that matter
  std::string shape;       ///< "256x56x56x64 64x3x3 stride 1"
  double bytes = 0.0;      ///< each tensor once for each pass over it; 0 where arithmetic bounds it
  double flops = 0.0;      ///< a multiply-add counted as two; 0 where memory bounds it
  std::int64_t count = 1;  ///< how often the network's training step calls it
  std::function<void()> call;
};

struct KernelCaseOptions {
  std::string network;  ///< "resnet50" or "resnet20": at whose layers
  std::int64_t batch = 1;
  std::int64_t shrink = 1;  ///< divides extents and channels: to try the programs out on slow devices
  DType dtype = DType::f32;
};

/// What the device does at best: "copy" of a large tensor, "gemm" of large matrices.
std::vector<KernelCase> ceiling_cases(Backend& backend, const KernelCaseOptions& options);

/// Makes one case at a time, since a network's tensors together do not fit: calls `measure` on each while its tensors
/// are there.
void for_each_kernel_case(Backend& backend, const KernelCaseOptions& options,
                          const std::function<void(const KernelCase&)>& measure);

}  // namespace graft
