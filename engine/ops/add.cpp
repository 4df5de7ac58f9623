#include "engine/ops/add.h"

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

Variable add(const Variable& a, const Variable& b) {
  check(a.shape() == b.shape() && a.dtype() == b.dtype(), "[add] a is {}, b is {}: they must be alike", a.value().str(),
        b.value().str());

  Backend& backend = a.backend();
  const Tensor y = backend.empty(a.shape(), a.dtype());

  backend.add(a.value(), b.value(), y);

  // Both gradients are dy itself: whoever sums gradients makes memory of its own for the sum.
  return record("add", y, {a, b}, [](const Tensor& dy, std::span<const bool>) { return std::vector<Tensor>{dy, dy}; });
}

}  // namespace graft
