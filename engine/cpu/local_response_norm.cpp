#include "engine/backend/local_response_norm.h"

#include <algorithm>
#include <vector>

#include "engine/base/parallel_for.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/simd_math.h"

// Rows of channels go through a line of f32 each, with zeros round it where a window reaches past the first or the last
// channel: sums over a window are then sums of shifted lines, whole vectors at a time.

namespace graft {

namespace {

using simd::f32x8;

/// Rows that a thread takes at least; a power is some thirty simple operations.
std::int64_t row_grain_of(std::int64_t channels) {
  return std::max<std::int64_t>(1, kElementGrain / 16 / std::max<std::int64_t>(1, channels));
}

/// A line of `channels` f32 between `margin` zeros on either side, and as many again as a vector may reach past it.
class PaddedLine {
 public:
  PaddedLine(std::int64_t channels, std::int64_t margin)
      : margin_(margin), values_(static_cast<std::size_t>(channels + 2 * margin + simd::kLanes)) {}

  float* at(std::int64_t c) { return values_.data() + margin_ + c; }

  /// The sum of elements c - before .. c + after for the eight c from `c` on.
  f32x8 window(std::int64_t c, std::int64_t before, std::int64_t after) {
    f32x8 sum = simd::load(at(c - before));
    for (std::int64_t j = c - before + 1; j <= c + after; ++j) sum += simd::load(at(j));
    return sum;
  }

 private:
  std::int64_t margin_;
  std::vector<float> values_;
};

/// What the formula needs in f32.
struct Constants {
  std::int64_t before, after;
  float k, share;       ///< d = k + share * the sum of squares
  float beta, factor;   ///< factor 2 alpha beta / size
  bool three_quarters;  ///< beta is 3/4, as in every published network: two roots then
  std::int64_t margin() const { return std::max(before, after); }

  explicit Constants(const LrnOptions& options)
      : before(options.before()),
        after(options.after()),
        k(static_cast<float>(options.k)),
        share(static_cast<float>(options.alpha / static_cast<double>(options.size))),
        beta(static_cast<float>(options.beta)),
        factor(static_cast<float>(2.0 * options.alpha * options.beta / static_cast<double>(options.size))),
        three_quarters(options.beta == 0.75) {}

  f32x8 divisor(PaddedLine& squares, std::int64_t c) const {
    return simd::multiply_add(squares.window(c, before, after), simd::broadcast(share), simd::broadcast(k));
  }
  /// d^-beta.
  f32x8 power(f32x8 d) const {
    if (three_quarters) {
      const f32x8 root = simd::square_root(d);
      return 1.0f / (root * simd::square_root(root));
    }
    return simd::exponential(-beta * simd::logarithm(d));
  }
};

template <class T>
void fill_squares(const T* x, std::int64_t channels, PaddedLine& squares) {
  simd::for_vectors(0, channels, [&](std::int64_t c, auto lanes) {
    const f32x8 value = simd::load(x + c, lanes);
    simd::store(squares.at(c), value * value, lanes);
  });
}

}  // namespace

void CpuBackend::local_response_norm_forward(const Tensor& x, const LrnOptions& options, const Tensor& y) {
  check_local_response_norm("local_response_norm", *this, {"x", x}, x, options, {"y", y});
  if (x.numel() == 0) return;
  enter();
  const Constants constants(options);
  const std::int64_t channels = channels_of(x);
  with_float_type(x.dtype(), [&](auto type) {
    const auto* from = x.data<decltype(type)>();
    auto* to = y.data<decltype(type)>();
    parallel_for(x.numel() / channels, row_grain_of(channels), [&](std::int64_t begin, std::int64_t end) {
      PaddedLine squares(channels, constants.margin());
      for (std::int64_t row = begin; row < end; ++row) {
        const auto* row_from = from + row * channels;
        auto* row_to = to + row * channels;
        fill_squares(row_from, channels, squares);
        simd::for_vectors(0, channels, [&](std::int64_t c, auto lanes) {
          const f32x8 power = constants.power(constants.divisor(squares, c));
          simd::store(row_to + c, simd::load(row_from + c, lanes) * power, lanes);
        });
      }
    });
  });
}

void CpuBackend::local_response_norm_backward(const Tensor& dy, const Tensor& x, const LrnOptions& options,
                                              const Tensor& dx) {
  check_local_response_norm("local_response_norm_backward", *this, {"dy", dy}, x, options, {"dx", dx});
  if (x.numel() == 0) return;
  enter();
  const Constants constants(options);
  const std::int64_t channels = channels_of(x);
  with_float_type(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* inputs = x.data<T>();
    const T* gradients = dy.data<T>();
    T* to = dx.data<T>();
    parallel_for(x.numel() / channels, row_grain_of(channels), [&](std::int64_t begin, std::int64_t end) {
      PaddedLine squares(channels, constants.margin());
      PaddedLine direct(channels, 0);                   // dy d^-beta
      PaddedLine ratios(channels, constants.margin());  // dy x d^(-beta - 1)
      for (std::int64_t row = begin; row < end; ++row) {
        const T* row_x = inputs + row * channels;
        const T* row_dy = gradients + row * channels;
        T* row_dx = to + row * channels;
        fill_squares(row_x, channels, squares);
        simd::for_vectors(0, channels, [&](std::int64_t c, auto lanes) {
          const f32x8 d = constants.divisor(squares, c);
          const f32x8 scaled = simd::load(row_dy + c, lanes) * constants.power(d);
          simd::store(direct.at(c), scaled, lanes);
          simd::store(ratios.at(c), scaled * simd::load(row_x + c, lanes) / d, lanes);
        });
        // Windows turned round: those that hold c belong to channels c - after .. c + before.
        simd::for_vectors(0, channels, [&](std::int64_t c, auto lanes) {
          const f32x8 sum = ratios.window(c, constants.after, constants.before);
          const f32x8 through = constants.factor * simd::load(row_x + c, lanes) * sum;
          simd::store(row_dx + c, simd::load(direct.at(c)) - through, lanes);
        });
      }
    });
  });
}

}  // namespace graft
