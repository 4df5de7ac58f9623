#pragma once

#include "engine/nn/module.h"
#include "engine/ops/activation.h"
#include "engine/ops/flatten.h"
#include "engine/ops/relu.h"

namespace graft {

/// max(0, x) as a layer, where it is not fused into the layer before it.
class ReLU : public Module {
 public:
  Variable forward(const Variable& x, const ForwardContext&) override { return relu(x); }
};

/// min(max(0, x), 6) as a layer.
class ReLU6 : public Module {
 public:
  Variable forward(const Variable& x, const ForwardContext&) override { return relu6(x); }
};

/// x sigmoid(x) as a layer.
class SiLU : public Module {
 public:
  Variable forward(const Variable& x, const ForwardContext&) override { return silu(x); }
};

/// 1 / (1 + exp(-x)) as a layer.
class Sigmoid : public Module {
 public:
  Variable forward(const Variable& x, const ForwardContext&) override { return sigmoid(x); }
};

/// [N, H, W, C] to [N, C H W] as a layer.
class Flatten : public Module {
 public:
  Variable forward(const Variable& x, const ForwardContext&) override { return flatten(x); }
};

}  // namespace graft
