#pragma once

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <cmath>
#include <cstdint>
#include <cstring>

#include "engine/base/dtype.h"

/// Vectors of eight lanes (the compiler's vector extension) and how they are read and written. Arithmetic is always in
/// f32; bf16 exists in memory only. A partial vector goes through the same arithmetic as a full one, so that an
/// element's bits do not depend on where a thread's range begins or ends.
namespace graft::simd {

inline constexpr std::int64_t kLanes = 8;

using f32x8 = float __attribute__((vector_size(32)));
using i32x8 = std::int32_t __attribute__((vector_size(32)));
using u32x8 = std::uint32_t __attribute__((vector_size(32)));
using u16x8 = std::uint16_t __attribute__((vector_size(16)));
using u8x8 = std::uint8_t __attribute__((vector_size(8)));
using f64x4 = double __attribute__((vector_size(32)));

inline f32x8 broadcast(float value) { return f32x8{} + value; }

/// Any vector from memory of any alignment.
template <class V>
V load_vector(const void* source) {
  V value;
  std::memcpy(&value, source, sizeof value);
  return value;
}

inline f32x8 widen(u16x8 bits) {
#if defined(__AVX2__)  // the compiler's own conversion takes two halves and joins them
  return reinterpret_cast<f32x8>(_mm256_slli_epi32(_mm256_cvtepu16_epi32(reinterpret_cast<__m128i>(bits)), 16));
#else
  return reinterpret_cast<f32x8>(__builtin_convertvector(bits, u32x8) << 16);
#endif
}

/// As bfloat16's constructor: to nearest even, NaN kept.
inline u16x8 narrow(f32x8 value) {
  const u32x8 raw = reinterpret_cast<u32x8>(value);
  const u32x8 rounded = (raw + 0x7fffu + ((raw >> 16) & 1u)) >> 16;
  const u32x8 quiet_nan = (raw >> 16) | 0x40u;
  const i32x8 is_nan = value != value;
  const u32x8 result = is_nan ? quiet_nan : rounded;
#if defined(__AVX2__)
  const auto halves = reinterpret_cast<__m256i>(result);
  return reinterpret_cast<u16x8>(_mm_packus_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1)));
#else
  return __builtin_convertvector(result, u16x8);
#endif
}

inline f32x8 load(const float* source) { return load_vector<f32x8>(source); }
inline f32x8 load(const bfloat16* source) { return widen(load_vector<u16x8>(source)); }
inline f32x8 load(const std::uint8_t* source) {
#if defined(__AVX2__)
  return reinterpret_cast<f32x8>(
      _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(source)))));
#else
  return __builtin_convertvector(load_vector<u8x8>(source), f32x8);
#endif
}
inline i32x8 load(const std::int32_t* source) { return load_vector<i32x8>(source); }

inline void store(float* target, f32x8 value) { std::memcpy(target, &value, sizeof value); }
inline void store(std::int32_t* target, i32x8 value) { std::memcpy(target, &value, sizeof value); }
inline void store(bfloat16* target, f32x8 value) {
  const u16x8 bits = narrow(value);
  std::memcpy(static_cast<void*>(target), &bits, sizeof bits);
}

/// The first `count` lanes, 0 < count < 8, the others zero.
template <class T>
auto load(const T* source, std::int64_t count) {
  T lanes[kLanes] = {};
  std::memcpy(static_cast<void*>(lanes), source, static_cast<std::size_t>(count) * sizeof(T));
  return load(lanes);
}

template <class T, class V>
void store(T* target, V value, std::int64_t count) {
  T lanes[kLanes];
  store(lanes, value);
  std::memcpy(static_cast<void*>(target), lanes, static_cast<std::size_t>(count) * sizeof(T));
}

#if defined(__AVX2__)  // masked moves of 32-bit lanes, several times faster than a call of memcpy
inline __m256i lane_mask(std::int64_t count) {
  const i32x8 lane{0, 1, 2, 3, 4, 5, 6, 7};
  return reinterpret_cast<__m256i>(lane < static_cast<std::int32_t>(count));
}
inline f32x8 load(const float* source, std::int64_t count) { return _mm256_maskload_ps(source, lane_mask(count)); }
inline void store(float* target, f32x8 value, std::int64_t count) {
  _mm256_maskstore_ps(target, lane_mask(count), value);
}
#endif

/// A count known to be a whole vector, so that one body serves full and partial vectors.
struct Full {};
template <class T>
auto load(const T* source, Full) {
  return load(source);
}
template <class T, class V>
void store(T* target, V value, Full) {
  store(target, value);
}

/// The value with the lanes beyond a partial vector set to zero.
inline f32x8 keep(f32x8 value, Full) { return value; }
inline f32x8 keep(f32x8 value, std::int64_t count) {
  const i32x8 lane{0, 1, 2, 3, 4, 5, 6, 7};
  return lane < static_cast<std::int32_t>(count) ? value : f32x8{};
}

/// body(i, count) for every vector of [begin, end): `count` is Full, or the number of lanes of the last one.
template <class Body>
inline __attribute__((always_inline)) void for_vectors(std::int64_t begin, std::int64_t end, const Body& body) {
  std::int64_t i = begin;
  for (; i + kLanes <= end; i += kLanes) body(i, Full{});
  if (i < end) body(i, end - i);
}

/// `a` in the lanes where the mask is all ones, `b` where it is zero. The operator ?: does the same, but tests masks
/// that are not a comparison themselves once more.
template <class V>
V select(i32x8 mask, V a, V b) {
#if defined(__AVX2__)
  return reinterpret_cast<V>(
      _mm256_blendv_epi8(reinterpret_cast<__m256i>(b), reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(mask)));
#else
  return mask ? a : b;
#endif
}

/// max(0, x), NaN kept.
inline f32x8 relu(f32x8 x) { return x < 0.0f ? f32x8{} : x; }

/// min(x, most), NaN kept.
inline f32x8 at_most(f32x8 x, f32x8 most) { return x > most ? most : x; }

inline f32x8 square_root(f32x8 value) {
#if defined(__AVX2__)
  return _mm256_sqrt_ps(value);
#else
  f32x8 result{};
  for (int lane = 0; lane < kLanes; ++lane) result[lane] = std::sqrt(value[lane]);
  return result;
#endif
}

/// The lower and the upper four lanes in f64.
#if defined(__AVX2__)
inline f64x4 low_f64(f32x8 v) { return _mm256_cvtps_pd(_mm256_castps256_ps128(v)); }
inline f64x4 high_f64(f32x8 v) { return _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)); }
#else
inline f64x4 low_f64(f32x8 v) { return f64x4{v[0], v[1], v[2], v[3]}; }
inline f64x4 high_f64(f32x8 v) { return f64x4{v[4], v[5], v[6], v[7]}; }
#endif

}  // namespace graft::simd
