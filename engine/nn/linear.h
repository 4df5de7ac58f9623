#pragma once

#include <cstdint>

#include "engine/nn/module.h"
#include "engine/ops/linear.h"

namespace graft {

struct LinearConfig {
  std::int64_t in_features = 0;
  std::int64_t out_features = 0;
  bool bias = true;
  bool relu = false;  ///< fused: y = max(0, x w^T + bias)
};

/// A fully connected layer with parameters "weight" [O, I] and, with config.bias, "bias" [O], values undefined until
/// initialize() or a checkpoint fills them.
class Linear : public Module {
 public:
  Linear(Backend& backend, const LinearConfig& config);
  Variable forward(const Variable& x, const ForwardContext& context) override;

 private:
  LinearConfig config_;
  Variable weight_;
  Variable bias_;
};

}  // namespace graft
