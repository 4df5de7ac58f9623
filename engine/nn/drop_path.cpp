#include "engine/nn/drop_path.h"

#include "engine/base/error.h"

namespace graft {

DropPath::DropPath(double p, const std::string& stream) : p_(p), stream_(stream_of("drop_path:" + stream)) {
  if (!(p >= 0.0 && p < 1.0)) fail(ErrorKind::usage, "[drop_path] p is {}, it must be at least 0 and below 1", p);
}

Variable DropPath::forward(const Variable& x, const ForwardContext& context) {
  if (!context.training || p_ == 0.0) return x;
  return drop_path(x, {.p = p_, .random = {.seed = context.seed, .stream = stream_}}, context.step);
}

}  // namespace graft
