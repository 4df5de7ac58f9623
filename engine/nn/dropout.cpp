#include "engine/nn/dropout.h"

#include "engine/base/error.h"

namespace graft {

Dropout::Dropout(double p, const std::string& stream) : p_(p), stream_(stream_of("dropout:" + stream)) {
  if (!(p >= 0.0 && p < 1.0)) fail(ErrorKind::usage, "[dropout] p is {}, it must be at least 0 and below 1", p);
}

Variable Dropout::forward(const Variable& x, const ForwardContext& context) {
  if (!context.training || p_ == 0.0) return x;
  return dropout(x, {.p = p_, .random = {.seed = context.seed, .stream = stream_}}, context.step);
}

}  // namespace graft
