#pragma once

#include <cmath>
#include <cstdint>

#include "engine/cpu/simd.h"

/// Elementary functions of eight lanes. Errors are in units in the last place (ulp) of f32, bounded by
/// tests/backend/simd_math_test.cpp over the whole range.
namespace graft::simd {

/// a b + c, rounded once where the processor can.
inline f32x8 multiply_add(f32x8 a, f32x8 b, f32x8 c) {
#if defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}

inline f32x8 absolute(f32x8 x) { return reinterpret_cast<f32x8>(reinterpret_cast<u32x8>(x) & 0x7fffffffu); }

/// x, but at least `low` and at most `high`; NaN kept.
inline f32x8 clamp(f32x8 x, float low, float high) {
#if defined(__AVX2__)  // of two operands these give the second where one is NaN
  return _mm256_max_ps(broadcast(low), _mm256_min_ps(broadcast(high), x));
#else
  const f32x8 below = x > high ? broadcast(high) : x;
  return below < low ? broadcast(low) : below;
#endif
}

/// 2^n for -126 <= n <= 127.
inline f32x8 power_of_two(i32x8 n) { return reinterpret_cast<f32x8>((n + 127) << 23); }

/// exp(x) to within 1.1 ulp, subnormal results to within one of their steps; 0, infinity and NaN where exp has them.
/// x = n ln 2 + r with |r| <= ln 2 / 2, where the Taylor polynomial of degree 7 is off by less than 6e-9.
inline f32x8 exponential(f32x8 x) {
  constexpr float kLog2E = 1.44269504f;
  constexpr float kLn2High = 0x1.63p-1f;  // nine bits: its products with n are exact
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kRoundToInteger = 0x1.8p23f;
  x = clamp(x, -104.0f, 89.0f);  // beyond these exp is 0 or infinity in f32
  const f32x8 shifted = multiply_add(x, broadcast(kLog2E), broadcast(kRoundToInteger));
  const f32x8 n = shifted - kRoundToInteger;
  const f32x8 r = multiply_add(n, broadcast(-kLn2Low), multiply_add(n, broadcast(-kLn2High), x));
  f32x8 sum = broadcast(1.0f / 5040.0f);
  for (const float coefficient : {1.0f / 720.0f, 1.0f / 120.0f, 1.0f / 24.0f, 1.0f / 6.0f, 0.5f}) {
    sum = multiply_add(sum, r, broadcast(coefficient));
  }
  sum = multiply_add(sum * r, r, r) + 1.0f;
  // The low bits of `shifted` are n. 2^n in two factors: results may be subnormal, and 2^128 is none.
  const i32x8 exponent = reinterpret_cast<i32x8>(shifted) - 0x4b400000;
  const i32x8 half = exponent >> 1;
  return sum * power_of_two(half) * power_of_two(exponent - half);
}

/// 2 atanh(s) = log((1 + s) / (1 - s)) for |s| <= 1/3, by its series; `kTerms` of them.
template <int kTerms>
f32x8 twice_inverse_tanh(f32x8 s) {
  const f32x8 z = s * s;
  f32x8 sum = broadcast(1.0f / (2 * kTerms - 1));
  for (int k = kTerms - 2; k >= 1; --k) sum = multiply_add(sum, z, broadcast(1.0f / static_cast<float>(2 * k + 1)));
  return multiply_add(sum * z, s + s, s + s);
}

/// log(x) of normal positive numbers to within 2 ulp, infinity and NaN kept: x = 2^n m with m between the roots of 1/2
/// and 2.
inline f32x8 logarithm(f32x8 x) {
  constexpr std::int32_t kRootOfHalf = 0x3f3504f3;
  constexpr float kLn2High = 0x1.63p-1f;
  constexpr float kLn2Low = -2.12194440e-4f;
  const i32x8 bits = reinterpret_cast<i32x8>(x) - kRootOfHalf;
  const i32x8 exponent = bits >> 23;
  const f32x8 m = reinterpret_cast<f32x8>((bits & 0x7fffff) + kRootOfHalf);
  const f32x8 n = __builtin_convertvector(exponent, f32x8);
  const f32x8 f = m - 1.0f;
  const f32x8 of_m = twice_inverse_tanh<5>(f / (f + 2.0f));
  const f32x8 result = multiply_add(n, broadcast(kLn2High), multiply_add(n, broadcast(kLn2Low), of_m));
  return x < INFINITY ? result : x;
}

/// log(1 + e) for 0 <= e <= 1 to within 2 ulp.
inline f32x8 logarithm_of_one_plus(f32x8 e) { return twice_inverse_tanh<9>(e / (e + 2.0f)); }

/// 1 / (1 + exp(-x)) and 1 less that, each to within 3 ulp: by an exponential of what is not positive, which
/// does not overflow, and without cancellation.
struct Logistic {
  f32x8 value;
  f32x8 complement;
};
inline Logistic logistic(f32x8 x) {
  const f32x8 e = exponential(-absolute(x));
  const f32x8 one = broadcast(1.0f);
  const f32x8 share = one / (one + e);
  const f32x8 rest = e * share;
  return {x < 0.0f ? rest : share, x < 0.0f ? share : rest};
}

}  // namespace graft::simd
