#include "models/residual_sum.h"

#include <utility>

#include "engine/ops/add.h"
#include "engine/ops/relu.h"

namespace graft {

ResidualSum::ResidualSum(std::shared_ptr<Conv2d> conv, const ResidualSumConfig& config) {
  BatchNormOptions norm = config.norm;
  if (config.depth.rate > 0.0) {
    drop_path_ = add_module("", std::make_shared<DropPath>(config.depth.rate, config.depth.stream));
    relu_after_ = std::exchange(norm.relu, false);
  }
  last_ = add_module("", std::make_shared<ConvBatchNorm>(config.conv_name, std::move(conv), config.norm_name, norm));
}

Variable ResidualSum::forward(const Variable& x, const ForwardContext& context) { return forward(x, {}, context); }

Variable ResidualSum::forward(const Variable& x, const Variable& shortcut, const ForwardContext& context) {
  const bool drops = drop_path_ != nullptr && context.training && shortcut.defined();
  const Variable y = drops ? add(drop_path_->forward(last_->forward(x, context), context), shortcut)
                           : last_->forward(x, shortcut, context);
  return relu_after_ ? relu(y) : y;
}

}  // namespace graft
