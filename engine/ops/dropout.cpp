#include "engine/ops/dropout.h"

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

Variable dropout(const Variable& x, const DropoutOptions& options, const Tensor& step) {
  check(options.p >= 0.0 && options.p < 1.0, "[dropout] p is {}, it must be at least 0 and below 1", options.p);
  if (options.p == 0.0) return x;
  check(step.defined() && step.shape() == Shape{1} && step.dtype() == DType::i64,
        "[dropout] step is {}, it must be i64 [1]", step.str());

  Backend& backend = x.backend();
  const Tensor y = backend.empty(x.shape(), x.dtype());

  backend.dropout(x.value(), options, step, y);

  // The mask is computed again from its counter rather than kept.
  return record("dropout", y, {x}, [options, step](const Tensor& dy, std::span<const bool>) {
    const Tensor dx = dy.backend().empty(dy.shape(), dy.dtype());
    dy.backend().dropout(dy, options, step, dx);
    return std::vector<Tensor>{dx};
  });
}

}  // namespace graft
