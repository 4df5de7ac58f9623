#pragma once

#include "engine/nn/module.h"
#include "engine/ops/avg_pool2d.h"
#include "engine/ops/global_avg_pool.h"
#include "engine/ops/max_pool2d.h"

namespace graft {

/// Max pooling as a layer.
class MaxPool2d : public Module {
 public:
  explicit MaxPool2d(const Pool2dOptions& options = {}) : options_(options) {}
  Variable forward(const Variable& x, const ForwardContext&) override { return max_pool2d(x, options_); }

 private:
  Pool2dOptions options_;
};

/// Average pooling as a layer.
class AvgPool2d : public Module {
 public:
  explicit AvgPool2d(const Pool2dOptions& options = {}) : options_(options) {}
  Variable forward(const Variable& x, const ForwardContext&) override { return avg_pool2d(x, options_); }

 private:
  Pool2dOptions options_;
};

/// [N, H, W, C] to [N, C]: torchvision's AdaptiveAvgPool2d(1) and the flatten after it.
class GlobalAvgPool : public Module {
 public:
  Variable forward(const Variable& x, const ForwardContext&) override { return global_avg_pool(x); }
};

}  // namespace graft
