#include "engine/ops/drop_path.h"

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

Variable drop_path(const Variable& x, const DropoutOptions& options, const Tensor& step) {
  check(options.p >= 0.0 && options.p < 1.0, "[drop_path] p is {}, it must be at least 0 and below 1", options.p);
  check(x.shape().rank() >= 1, "[drop_path] a tensor of rank 0 has no images");
  if (options.p == 0.0) return x;
  check(step.defined() && step.shape() == Shape{1} && step.dtype() == DType::i64,
        "[drop_path] step is {}, it must be i64 [1]", step.str());

  Backend& backend = x.backend();
  const Tensor y = backend.empty(x.shape(), x.dtype());

  backend.drop_path(x.value(), options, step, y);

  // Which images are kept is computed again from the counter rather than saved.
  return record("drop_path", y, {x}, [options, step](const Tensor& dy, std::span<const bool>) {
    const Tensor dx = dy.backend().empty(dy.shape(), dy.dtype());
    dy.backend().drop_path(dy, options, step, dx);
    return std::vector<Tensor>{dx};
  });
}

}  // namespace graft
