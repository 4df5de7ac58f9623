#include "datasets/resize_axis.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/base/error.h"

namespace graft {
namespace {

double box(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

double hamming(double x) {
  x = std::abs(x);
  if (x == 0.0) return 1.0;
  if (x >= 1.0) return 0.0;
  x *= std::numbers::pi;
  // Pillow's constants are single precision.
  return std::sin(x) / x * (double{0.54f} + double{0.46f} * std::cos(x));
}

/// Keys' cubic with a = -1/2.
double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos(double x) { return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0; }

struct Filter {
  double (*weight)(double);
  double support;  ///< half its width, in source pixels when not shrinking
};

Filter filter_of(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::box:
      return {box, 0.5};
    case Interpolation::bilinear:
      return {triangle, 1.0};
    case Interpolation::hamming:
      return {hamming, 1.0};
    case Interpolation::bicubic:
      return {cubic, 2.0};
    case Interpolation::lanczos:
      return {lanczos, 3.0};
    case Interpolation::nearest:
      break;
  }
  fail(ErrorKind::failure, "[resize] {} has no filter", name_of(interpolation));
}

}  // namespace

void make_resize_axis(std::int64_t from, std::int64_t to, std::int64_t begin, std::int64_t end,
                      Interpolation interpolation, ResizeAxis& into) {
  const Filter filter = filter_of(interpolation);
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(scale, 1.0);
  const double support = filter.support * stretch;
  const double inverse = 1.0 / stretch;
  const auto most = static_cast<std::size_t>(std::ceil(support)) * 2 + 1;
  into.count = end - begin;
  into.stride = (most + 3) / 4 * 4;
  const auto count = static_cast<std::size_t>(into.count);
  into.first.resize(count);
  into.taps.resize(count);
  into.coefficients.assign(count * into.stride, 0);
  std::vector<double> weights(most);
  for (std::size_t i = 0; i < count; ++i) {
    const double center = (static_cast<double>(begin + static_cast<std::int64_t>(i)) + 0.5) * scale;
    const double begins = center - support + 0.5;
    const double ends = center + support + 0.5;
    const std::int64_t first = std::max<std::int64_t>(0, static_cast<std::int64_t>(begins));
    const std::int64_t last = std::min(from, static_cast<std::int64_t>(ends));
    const auto taps = static_cast<std::size_t>(last - first);
    double sum = 0.0;
    for (std::size_t k = 0; k < taps; ++k) {
      const double offset = static_cast<double>(first + static_cast<std::int64_t>(k)) - center + 0.5;
      weights[k] = filter.weight(offset * inverse);
      sum += weights[k];
    }
    into.first[i] = static_cast<std::int32_t>(first);
    into.taps[i] = static_cast<std::int32_t>(taps);
    for (std::size_t k = 0; k < taps; ++k) {
      const double weight = sum != 0.0 ? weights[k] / sum : weights[k];
      into.coefficients[i * into.stride + k] =
          static_cast<std::int32_t>(weight * (1 << kResizeBits) + (weight < 0 ? -0.5 : 0.5));
    }
  }
}

}  // namespace graft
