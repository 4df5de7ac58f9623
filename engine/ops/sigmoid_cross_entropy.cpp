#include "engine/ops/sigmoid_cross_entropy.h"

#include "engine/backend/backend.h"
#include "engine/ops/loss_gradient.h"
#include "engine/ops/parameter.h"

namespace graft {

Variable sigmoid_cross_entropy(const Variable& logits, const Tensor& targets) {
  const DType wide = parameter_dtype(logits.dtype());
  check(logits.shape().rank() == 2, "[sigmoid_cross_entropy] logits must be [N, C], they are {}", logits.shape().str());
  check(targets.defined() && targets.shape() == logits.shape() && targets.dtype() == wide,
        "[sigmoid_cross_entropy] targets are {}, for logits {} they must be {} {}", targets.str(), logits.value().str(),
        name_of(wide), logits.shape().str());

  Backend& backend = logits.backend();
  const bool recorded = will_record({logits});
  const Tensor loss = backend.empty({1}, wide);
  const Tensor dlogits = recorded ? backend.empty(logits.shape(), logits.dtype()) : Tensor();

  backend.sigmoid_cross_entropy(logits.value(), targets, loss, dlogits);

  if (!recorded) return Variable(loss);
  return record("sigmoid_cross_entropy", loss, {logits}, scaled_gradient(dlogits), /*implicit_one=*/true);
}

}  // namespace graft
