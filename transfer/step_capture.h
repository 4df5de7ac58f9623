#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/backend/backend.h"

namespace graft {

/// All that decides which kernels a step calls on which memory: where its tensors lie, what trains, how frozen
/// statistics are used. Steps of equal keys are the same work.
using StepKey = std::vector<std::uint64_t>;

/// Runs a step that comes again and again. Only for backends that can capture.
class StepCapture {
 public:
  explicit StepCapture(Backend& backend) : backend_(backend) {}

  /// The first time with a key: calls `step`. The second time in a row: captures it and replays that; from then on
  /// replays. A capture for another key is dropped. Returns true iff the kernels were replayed: the host's part of the
  /// step has then not been done, or, at the capture, has been done before the kernels ran.
  bool run(const StepKey& key, const std::function<void()>& step);

 private:
  Backend& backend_;
  StepKey key_;
  std::unique_ptr<CapturedWork> captured_;
};

}  // namespace graft
