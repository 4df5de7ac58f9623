#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace graft {

/// Element types. f16 occurs in files only; f64 on the reference backend only.
enum class DType : std::uint8_t { f32, bf16, f64, i64, i32, u8, f16 };

/// Bytes of one element.
std::size_t size_of(DType dtype);

/// "f32", "bf16", ...
std::string_view name_of(DType dtype);

/// The dtype named so; throws Error(usage) if there is none.
DType dtype_from_name(std::string_view name);

bool is_floating(DType dtype);

/// bfloat16: the upper half of an IEEE f32. Conversion from f32 rounds to nearest even and keeps NaN.
struct bfloat16 {
  std::uint16_t bits = 0;

  bfloat16() = default;
  explicit bfloat16(float value) : bits(round_bits(value)) {}
  explicit operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

 private:
  static std::uint16_t round_bits(float value) {
    const auto raw = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t rounded = (raw + 0x7fffu + ((raw >> 16) & 1u)) >> 16;
    const std::uint32_t quiet_nan = (raw >> 16) | 0x40u;
    return static_cast<std::uint16_t>((raw & 0x7fffffffu) > 0x7f800000u ? quiet_nan : rounded);
  }
};

/// The DType of a C++ element type.
template <class T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<bfloat16>() {
  return DType::bf16;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}
template <>
constexpr DType dtype_of<std::int64_t>() {
  return DType::i64;
}
template <>
constexpr DType dtype_of<std::int32_t>() {
  return DType::i32;
}
template <>
constexpr DType dtype_of<std::uint8_t>() {
  return DType::u8;
}

}  // namespace graft
