#include "engine/nn/dropout.h"

#include "engine/base/error.h"

namespace graft {

RandomDrop::RandomDrop(const std::string& name, Operation operation, double p, const std::string& stream)
    : operation_(operation), p_(p), stream_(stream_of(name + ":" + stream)) {
  if (!(p >= 0.0 && p < 1.0)) fail(ErrorKind::usage, "[{}] p is {}, it must be at least 0 and below 1", name, p);
}

Variable RandomDrop::forward(const Variable& x, const ForwardContext& context) {
  if (!context.training || p_ == 0.0) return x;
  return operation_(x, {.p = p_, .random = {.seed = context.seed, .stream = stream_}}, context.step);
}

}  // namespace graft
