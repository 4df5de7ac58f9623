#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/backend/pool.h"
#include "engine/cpu/dispatch.h"

namespace graft {

/// Positions first, first + step, ...: the taps of a window that lie inside the image, or the windows over a position.
struct Taps {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::int64_t step = 1;
};

/// The windows over each position of a line in turn: those numbered o with o stride <= at <= o stride + reach, found
/// without a division a position.
class WindowCursor {
 public:
  WindowCursor(std::int64_t at, std::int64_t reach, std::int64_t stride, std::int64_t count)
      : at_(at),
        reach_(reach),
        stride_(stride),
        count_(count),
        first_(at <= reach ? 0 : (at - reach + stride - 1) / stride),
        end_(at / stride + 1) {}

  Taps windows() const { return {first_, std::max<std::int64_t>(0, std::min(end_, count_) - first_), 1}; }
  void advance() {
    ++at_;
    if (first_ * stride_ + reach_ < at_) ++first_;
    if (end_ * stride_ <= at_) ++end_;
  }

 private:
  std::int64_t at_, reach_, stride_, count_;
  std::int64_t first_, end_;
};

struct PoolImage {
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
};

/// The geometry of a pooling from images [H, W, C] to [OH, OW, C].
struct PoolGeometry {
  PoolImage image;
  std::int64_t out_height;
  std::int64_t out_width;
  Pool2dOptions options;

  PoolGeometry(const Shape& x, const Shape& y, const Pool2dOptions& pool_options)
      : image{x[1], x[2], x[3]}, out_height(y[1]), out_width(y[2]), options(pool_options) {}

  std::int64_t image_size() const { return image.height * image.width * image.channels; }
  std::int64_t out_row_size() const { return out_width * image.channels; }
  std::int64_t out_size() const { return out_height * out_row_size(); }
  /// Rows, of either side, that a thread takes at least.
  std::int64_t row_grain() const {
    return std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, image.width * image.channels));
  }

  /// Rows that window row `oh` sees, columns that window column `ow` sees.
  Taps rows(std::int64_t oh) const {
    const Window2d& window = options.window;
    return taps(oh * window.stride.height - window.padding.top, options.kernel.height, window.dilation.height,
                image.height);
  }
  Taps columns(std::int64_t ow) const {
    const Window2d& window = options.window;
    return taps(ow * window.stride.width - window.padding.left, options.kernel.width, window.dilation.width,
                image.width);
  }

  /// Window rows that reach over row `h`, and window columns over each column from the first on; with dilation some of
  /// them have no tap there.
  Taps windows_of_row(std::int64_t h) const {
    const Window2d& window = options.window;
    return WindowCursor(h + window.padding.top, (options.kernel.height - 1) * window.dilation.height,
                        window.stride.height, out_height)
        .windows();
  }
  WindowCursor windows_of_columns() const {
    const Window2d& window = options.window;
    return {window.padding.left, (options.kernel.width - 1) * window.dilation.width, window.stride.width, out_width};
  }

 private:
  static Taps taps(std::int64_t start, std::int64_t kernel, std::int64_t dilation, std::int64_t size) {
    const std::int64_t before = start < 0 ? (-start + dilation - 1) / dilation : 0;
    const std::int64_t room = size - 1 - start;
    const std::int64_t last = room < 0 ? -1 : std::min(kernel - 1, dilation == 1 ? room : room / dilation);
    return {start + before * dilation, std::max<std::int64_t>(0, last - before + 1), dilation};
  }
};

}  // namespace graft
