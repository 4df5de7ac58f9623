#pragma once

// GCC 12 takes the don't-care operands inside its own intrinsics for mistakes (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>

#include <cstdint>

#include "engine/base/dtype.h"

// Included by the Winograd kernels alone, which are compiled for AVX-512 whatever the rest of the program is compiled
// for. Everything here has internal linkage, so that no other file can come to call AVX-512 code.

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,fma")

namespace graft::winograd {
namespace {

using Vector = __m512;

/// Multiplication and addition rounded once.
inline Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
inline Vector fma(float a, Vector b, Vector c) { return _mm512_fmadd_ps(_mm512_set1_ps(a), b, c); }

/// `count` of 16 floats, the rest 0.
inline __mmask16 lanes(std::int64_t count) {
  return count >= 16 ? static_cast<__mmask16>(0xffff) : static_cast<__mmask16>((1u << count) - 1u);
}

inline Vector load(const float* p, __mmask16 mask) { return _mm512_maskz_loadu_ps(mask, p); }
inline Vector load(const bfloat16* p, __mmask16 mask) {
  const __m256i bits = _mm256_maskz_loadu_epi16(mask, p);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

inline void store(float* p, __mmask16 mask, Vector value) {
  if (mask == 0xffff) {
    _mm512_storeu_ps(p, value);
  } else {
    _mm512_mask_storeu_ps(p, mask, value);
  }
}
/// Rounds to nearest even and keeps NaN, as bfloat16 does.
inline void store(bfloat16* p, __mmask16 mask, Vector value) {
  const __m512i raw = _mm512_castps_si512(value);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(raw, 16), _mm512_set1_epi32(1));
  const __m512i rounded =
      _mm512_srli_epi32(_mm512_add_epi32(raw, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
  const __m512i quiet = _mm512_or_si512(_mm512_srli_epi32(raw, 16), _mm512_set1_epi32(0x40));
  const __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
  _mm256_mask_storeu_epi16(p, mask, _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(rounded, nan, quiet)));
}

/// The interpolation points are 0, a, -a, b, -b and infinity. With a = 5/8 and b = 3/2 results are several times closer
/// to the exact ones than with the textbook's 1 and 2, at the same cost.
constexpr float kA = 0.625f, kB = 1.5f;
constexpr float kA2 = kA * kA, kB2 = kB * kB, kA3 = kA2 * kA, kB3 = kB2 * kB;
/// Lagrange's denominators at 0, +-a, +-b.
constexpr float kN0 = kA2 * kB2, kNa = 2 * kA2 * (kA2 - kB2), kNb = 2 * kB2 * (kB2 - kA2);

/// B^T: 6 pixels to 6 points.
inline void input_points(const Vector x[6], Vector v[6]) {
  const Vector even_a = fma(-kB2, x[2], x[4]);
  const Vector odd_a = fma(-kB2, x[1], x[3]);
  const Vector even_b = fma(-kA2, x[2], x[4]);
  const Vector odd_b = fma(-kA2, x[1], x[3]);
  v[0] = fma(kN0, x[0], fma(-(kA2 + kB2), x[2], x[4]));
  v[1] = fma(kA, odd_a, even_a);
  v[2] = fma(-kA, odd_a, even_a);
  v[3] = fma(kB, odd_b, even_b);
  v[4] = fma(-kB, odd_b, even_b);
  v[5] = fma(kN0, x[1], fma(-(kA2 + kB2), x[3], x[5]));
}

/// A: 4 pixels of a gradient to 6 points.
inline void gradient_points(const Vector y[4], Vector d[6]) {
  const Vector even_a = fma(kA2, y[2], y[0]);
  const Vector odd_a = fma(kA2, y[3], y[1]);
  const Vector even_b = fma(kB2, y[2], y[0]);
  const Vector odd_b = fma(kB2, y[3], y[1]);
  d[0] = y[0];
  d[1] = fma(kA, odd_a, even_a);
  d[2] = fma(-kA, odd_a, even_a);
  d[3] = fma(kB, odd_b, even_b);
  d[4] = fma(-kB, odd_b, even_b);
  d[5] = y[3];
}

/// A^T: 6 points to 4 pixels.
inline void output_pixels(const Vector m[6], Vector y[4]) {
  const Vector sum_a = _mm512_add_ps(m[1], m[2]), difference_a = _mm512_sub_ps(m[1], m[2]);
  const Vector sum_b = _mm512_add_ps(m[3], m[4]), difference_b = _mm512_sub_ps(m[3], m[4]);
  y[0] = _mm512_add_ps(m[0], _mm512_add_ps(sum_a, sum_b));
  y[1] = fma(kA, difference_a, _mm512_mul_ps(_mm512_set1_ps(kB), difference_b));
  y[2] = fma(kA2, sum_a, _mm512_mul_ps(_mm512_set1_ps(kB2), sum_b));
  y[3] = fma(kA3, difference_a, fma(kB3, difference_b, m[5]));
}

/// G: 3 taps to 6 points.
inline void weight_points(const Vector w[3], Vector u[6]) {
  const Vector even_a = _mm512_mul_ps(_mm512_set1_ps(1 / kNa), fma(kA2, w[2], w[0]));
  const Vector even_b = _mm512_mul_ps(_mm512_set1_ps(1 / kNb), fma(kB2, w[2], w[0]));
  u[0] = _mm512_mul_ps(_mm512_set1_ps(1 / kN0), w[0]);
  u[1] = fma(kA / kNa, w[1], even_a);
  u[2] = fma(-kA / kNa, w[1], even_a);
  u[3] = fma(kB / kNb, w[1], even_b);
  u[4] = fma(-kB / kNb, w[1], even_b);
  u[5] = w[2];
}

/// G^T: 6 points to 3 taps.
inline void gradient_taps(const Vector u[6], Vector w[3]) {
  const Vector sum_a = _mm512_add_ps(u[1], u[2]), difference_a = _mm512_sub_ps(u[1], u[2]);
  const Vector sum_b = _mm512_add_ps(u[3], u[4]), difference_b = _mm512_sub_ps(u[3], u[4]);
  w[0] = fma(1 / kN0, u[0], fma(1 / kNa, sum_a, _mm512_mul_ps(_mm512_set1_ps(1 / kNb), sum_b)));
  w[1] = fma(kA / kNa, difference_a, _mm512_mul_ps(_mm512_set1_ps(kB / kNb), difference_b));
  w[2] = fma(kA2 / kNa, sum_a, fma(kB2 / kNb, sum_b, u[5]));
}

}  // namespace
}  // namespace graft::winograd

#pragma GCC pop_options
