#include "engine/backend/conv.h"
#include "engine/backend/pool.h"
#include "engine/base/error.h"

namespace graft {
namespace {

// Asked several times for every layer of every step: texts are formatted only when there is something to say.
template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) {
  fail(ErrorKind::failure, format, std::forward<Args>(args)...);
}

void check_window(const char* operation, const Window2d& window) {
  const auto& [stride, dilation, padding] = window;
  if (stride.height < 1 || stride.width < 1 || dilation.height < 1 || dilation.width < 1) {
    refuse("[{}] stride {} x {} and dilation {} x {} must be at least 1", operation, stride.height, stride.width,
           dilation.height, dilation.width);
  }
}

void check_rank(const char* operation, const char* name, const char* wanted, const Shape& shape) {
  if (shape.rank() != 4) refuse("[{}] {} must be {}, it is {}", operation, name, wanted, shape.str());
}

Shape output_shape(const Shape& x, const Extent2d& kernel, const Window2d& window, std::int64_t channels) {
  const auto& [stride, dilation, padding] = window;
  return {x[0], window_output(x[1], kernel.height, stride.height, dilation.height, padding.top, padding.bottom),
          window_output(x[2], kernel.width, stride.width, dilation.width, padding.left, padding.right), channels};
}

}  // namespace

Shape conv2d_output_shape(const Shape& x, const Shape& w, const Conv2dOptions& options) {
  check_rank("conv2d", "x", "[N, H, W, C]", x);
  check_rank("conv2d", "weight", "[O, KH, KW, C / groups]", w);
  if (options.groups < 1 || x[3] % options.groups != 0 || w[0] % options.groups != 0) {
    refuse("[conv2d] {} groups do not divide {} input and {} output channels", options.groups, x[3], w[0]);
  }
  if (w[3] * options.groups != x[3]) {
    refuse("[conv2d] weight has {} input channels a group in {} groups, x has {} channels", w[3], options.groups, x[3]);
  }
  check_window("conv2d", options.window);
  return output_shape(x, {w[1], w[2]}, options.window, w[0]);
}

Shape pool2d_output_shape(const Shape& x, const Pool2dOptions& options) {
  check_rank("pool2d", "x", "[N, H, W, C]", x);
  const Extent2d& kernel = options.kernel;
  const Padding2d& padding = options.window.padding;
  if (kernel.height < 1 || kernel.width < 1)
    refuse("[pool2d] kernel {} x {} must be at least 1", kernel.height, kernel.width);
  check_window("pool2d", options.window);
  if (2 * padding.top > kernel.height || 2 * padding.bottom > kernel.height || 2 * padding.left > kernel.width ||
      2 * padding.right > kernel.width) {
    refuse("[pool2d] the padding is more than half of the kernel of {} x {}", kernel.height, kernel.width);
  }
  return output_shape(x, kernel, options.window, x[3]);
}

}  // namespace graft
