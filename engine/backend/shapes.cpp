#include "engine/backend/conv.h"
#include "engine/backend/pool.h"
#include "engine/base/error.h"

namespace graft {

Shape conv2d_output_shape(const Shape& x, const Shape& w, const Conv2dOptions& options) {
  check(x.rank() == 4, "[conv2d] x must be [N, H, W, C], it is {}", x.str());
  check(w.rank() == 4, "[conv2d] weight must be [O, KH, KW, C / groups], it is {}", w.str());
  check(options.groups >= 1 && x[3] % options.groups == 0 && w[0] % options.groups == 0,
        "[conv2d] {} groups do not divide {} input and {} output channels", options.groups, x[3], w[0]);
  check(w[3] * options.groups == x[3], "[conv2d] weight has {} input channels a group in {} groups, x has {} channels",
        w[3], options.groups, x[3]);
  const auto& [stride, dilation, padding] = options.window;
  check(stride.height >= 1 && stride.width >= 1 && dilation.height >= 1 && dilation.width >= 1,
        "[conv2d] stride and dilation must be at least 1");
  const std::int64_t height = window_output(x[1], w[1], stride.height, dilation.height, padding.top, padding.bottom);
  const std::int64_t width = window_output(x[2], w[2], stride.width, dilation.width, padding.left, padding.right);
  return {x[0], height, width, w[0]};
}

Shape pool2d_output_shape(const Shape& x, const Pool2dOptions& options) {
  check(x.rank() == 4, "[pool2d] x must be [N, H, W, C], it is {}", x.str());
  const auto& [stride, dilation, padding] = options.window;
  const auto& kernel = options.kernel;
  check(kernel.height >= 1 && kernel.width >= 1 && stride.height >= 1 && stride.width >= 1 && dilation.height >= 1 &&
            dilation.width >= 1,
        "[pool2d] kernel, stride and dilation must be at least 1");
  check(2 * padding.top <= kernel.height && 2 * padding.bottom <= kernel.height && 2 * padding.left <= kernel.width &&
            2 * padding.right <= kernel.width,
        "[pool2d] the padding is more than half of the kernel of {} x {}", kernel.height, kernel.width);
  return {x[0], window_output(x[1], kernel.height, stride.height, dilation.height, padding.top, padding.bottom),
          window_output(x[2], kernel.width, stride.width, dilation.width, padding.left, padding.right), x[3]};
}

}  // namespace graft
