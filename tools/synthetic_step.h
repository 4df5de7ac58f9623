#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "models/backbone.h"
#include "transfer/study.h"

namespace graft {

/// Training steps on one synthetic batch that lies on the backend: nothing but the step is measured.
struct SyntheticStepOptions {
  std::string model;
  BackboneOptions network;
  TrainingSettings training;
  std::int64_t warmup = 3;
  std::int64_t steps = 10;
};

/// Milliseconds of each measured step.
std::vector<double> time_steps(Backend& backend, const SyntheticStepOptions& options);
/// Milliseconds of each measured forward pass without a tape, of the same network and batch; `folded`: its batch norms
/// folded into its convolutions.
std::vector<double> time_inference(Backend& backend, const SyntheticStepOptions& options, bool folded);

/// What each kernel takes of a step, the longest first: time and calls are means over the measured steps. The backend
/// must not capture; Error(usage) if it does not time its kernels.
struct StepPart {
  std::string kernel;
  double calls = 0.0;
  double milliseconds = 0.0;
  double share = 0.0;  ///< of all kernels' time
};
std::vector<StepPart> split_step(Backend& backend, const SyntheticStepOptions& options);

double median(std::vector<double> values);

}  // namespace graft
