#include "engine/ops/local_response_norm.h"

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

Variable local_response_norm(const Variable& x, const LrnOptions& options) {
  check(x.shape().rank() >= 1, "[local_response_norm] a tensor of rank 0 has no channels");
  check(options.size >= 1 && options.size <= LocalResponseNormKernels::kMostLrnChannels,
        "[local_response_norm] size is {}, it must be from 1 to {}", options.size,
        LocalResponseNormKernels::kMostLrnChannels);
  check(options.alpha >= 0.0 && options.beta >= 0.0 && options.k > 0.0,
        "[local_response_norm] alpha is {}, beta {}, k {}: alpha and beta must be at least 0, k above 0", options.alpha,
        options.beta, options.k);

  Backend& backend = x.backend();
  const Tensor y = backend.empty(x.shape(), x.dtype());

  backend.local_response_norm_forward(x.value(), options, y);

  return record("local_response_norm", y, {x}, [options, input = x.value()](const Tensor& dy, std::span<const bool>) {
    const Tensor dx = dy.backend().empty(dy.shape(), dy.dtype());
    dy.backend().local_response_norm_backward(dy, input, options, dx);
    return std::vector<Tensor>{dx};
  });
}

}  // namespace graft
