#include "engine/ops/softmax_cross_entropy.h"

#include "engine/backend/backend.h"
#include "engine/ops/loss_gradient.h"
#include "engine/ops/parameter.h"

namespace graft {

Variable softmax_cross_entropy(const Variable& logits, const Tensor& labels, double label_smoothing) {
  check(logits.shape().rank() == 2, "[softmax_cross_entropy] logits must be [N, C], they are {}", logits.shape().str());
  check(labels.defined() && labels.shape() == Shape{logits.shape()[0]} && labels.dtype() == DType::i64,
        "[softmax_cross_entropy] labels are {}, for logits {} they must be i64 [{}]", labels.str(),
        logits.shape().str(), logits.shape()[0]);
  check(label_smoothing >= 0.0 && label_smoothing <= 1.0,
        "[softmax_cross_entropy] label smoothing is {}, it must be between 0 and 1", label_smoothing);

  Backend& backend = logits.backend();
  const bool recorded = will_record({logits});
  const Tensor loss = backend.empty({1}, parameter_dtype(logits.dtype()));
  const Tensor dlogits = recorded ? backend.empty(logits.shape(), logits.dtype()) : Tensor();

  backend.softmax_cross_entropy(logits.value(), labels, label_smoothing, loss, dlogits);

  if (!recorded) return Variable(loss);
  return record("softmax_cross_entropy", loss, {logits}, scaled_gradient(dlogits), /*implicit_one=*/true);
}

}  // namespace graft
