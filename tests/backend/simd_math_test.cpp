#include "engine/cpu/simd_math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace graft::testing {
namespace {

/// The distance of two floats next to |x|, subnormal steps among them.
double step_at(double x) {
  const auto magnitude = static_cast<float>(std::min(std::abs(x), 3.4028234663852886e38));
  return static_cast<double>(std::nextafter(magnitude, INFINITY)) - static_cast<double>(magnitude);
}

struct Worst {
  double ulps = 0.0;
  float at = 0.0f;
};

/// The largest error of f over floats of both signs, every 101st from 2^-30 to 128 and their neighbours in vectors.
template <class Vector, class Exact>
Worst worst_error(const Vector& f, const Exact& exact) {
  Worst worst;
  const auto last = std::bit_cast<std::uint32_t>(128.0f);
  for (auto bits = std::bit_cast<std::uint32_t>(0x1p-30f); bits < last; bits += 8 * 101) {
    simd::f32x8 x{};
    for (int lane = 0; lane < simd::kLanes; ++lane) {
      const auto magnitude = std::bit_cast<float>(bits + static_cast<std::uint32_t>(lane) * 101u);
      x[lane] = lane % 2 == 0 ? magnitude : -magnitude;
    }
    for (const simd::f32x8 argument : {x, -x}) {
      const simd::f32x8 got = f(argument);
      for (int lane = 0; lane < simd::kLanes; ++lane) {
        const double wanted = exact(static_cast<double>(argument[lane]));
        if (std::isinf(static_cast<float>(wanted)) && std::isinf(got[lane])) continue;
        const double ulps = std::abs(static_cast<double>(got[lane]) - wanted) / step_at(wanted);
        if (!(ulps <= worst.ulps)) worst = {ulps, argument[lane]};
      }
    }
  }
  return worst;
}

TEST(SimdMath, ExponentialIsCloseToTheLastPlace) {
  const Worst worst = worst_error(simd::exponential, [](double x) { return std::exp(x); });
  EXPECT_LE(worst.ulps, 1.1) << "at " << worst.at;
  EXPECT_GT(worst.ulps, 0.4) << "no f32 function is this close: nothing was compared";
}

TEST(SimdMath, ExponentialAtTheRims) {
  const float inf = INFINITY;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const simd::f32x8 y = simd::exponential(simd::f32x8{0.0f, -0.0f, inf, -inf, nan, 1e38f, -1e38f, 1.0f});
  EXPECT_EQ(y[0], 1.0f);
  EXPECT_EQ(y[1], 1.0f);
  EXPECT_EQ(y[2], inf);
  EXPECT_EQ(y[3], 0.0f);
  EXPECT_TRUE(std::isnan(y[4]));
  EXPECT_EQ(y[5], inf);
  EXPECT_EQ(y[6], 0.0f);
  EXPECT_FLOAT_EQ(y[7], 2.7182818f);
}

TEST(SimdMath, LogarithmIsWithinTwoUlps) {
  // Of |x|, from far below 1 to far above it: the exponent's part and the mantissa's both count.
  const auto of_magnitude = [](simd::f32x8 x) { return simd::logarithm(simd::absolute(x)); };
  const Worst worst = worst_error(of_magnitude, [](double x) { return std::log(std::abs(x)); });
  EXPECT_LE(worst.ulps, 2.0) << "at " << worst.at;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const simd::f32x8 y = simd::logarithm(simd::f32x8{1.0f, INFINITY, nan, 3e38f, 1.2e-38f, 2.0f, 0.5f, 1.0f});
  EXPECT_EQ(y[0], 0.0f);
  EXPECT_EQ(y[1], INFINITY);
  EXPECT_TRUE(std::isnan(y[2]));
  EXPECT_FLOAT_EQ(y[3], std::log(3e38f));
  EXPECT_FLOAT_EQ(y[4], std::log(1.2e-38f));
  EXPECT_FLOAT_EQ(y[5], 0.69314718f);
  EXPECT_FLOAT_EQ(y[6], -0.69314718f);
}

TEST(SimdMath, LogarithmOfOnePlusIsWithinTwoUlps) {
  const auto of_share = [](simd::f32x8 x) {
    return simd::logarithm_of_one_plus(simd::exponential(-simd::absolute(x)));
  };
  const auto exact = [](double x) {
    const simd::f32x8 e = simd::exponential(simd::f32x8{} - static_cast<float>(std::abs(x)));
    return std::log1p(static_cast<double>(e[0]));
  };
  const Worst worst = worst_error(of_share, exact);
  EXPECT_LE(worst.ulps, 2.0) << "at " << worst.at;
  EXPECT_EQ(simd::logarithm_of_one_plus(simd::f32x8{})[0], 0.0f);
}

TEST(SimdMath, LogisticAndItsComplementAreWithinThreeUlps) {
  const auto logistic = [](double x) {
    return x < 0.0 ? std::exp(x) / (1.0 + std::exp(x)) : 1.0 / (1.0 + std::exp(-x));
  };
  const Worst value = worst_error([](simd::f32x8 x) { return simd::logistic(x).value; }, logistic);
  const Worst complement =
      worst_error([](simd::f32x8 x) { return simd::logistic(x).complement; }, [&](double x) { return logistic(-x); });
  EXPECT_LE(value.ulps, 3.0) << "at " << value.at;
  EXPECT_LE(complement.ulps, 3.0) << "at " << complement.at;
}

TEST(SimdMath, LogisticAtTheRims) {
  const float inf = INFINITY;
  const auto [value, complement] =
      simd::logistic(simd::f32x8{0.0f, inf, -inf, std::numeric_limits<float>::quiet_NaN(), 1e38f, -1e38f, 0.0f, 0.0f});
  EXPECT_EQ(value[0], 0.5f);
  EXPECT_EQ(complement[0], 0.5f);
  EXPECT_EQ(value[1], 1.0f);
  EXPECT_EQ(complement[1], 0.0f);
  EXPECT_EQ(value[2], 0.0f);
  EXPECT_EQ(complement[2], 1.0f);
  EXPECT_TRUE(std::isnan(value[3]));
  EXPECT_EQ(value[4], 1.0f);
  EXPECT_EQ(value[5], 0.0f);
}

}  // namespace
}  // namespace graft::testing
