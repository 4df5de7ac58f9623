#include "engine/io/element_convert.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "engine/base/error.h"

namespace graft {
namespace {

/// binary16 as it stands in files; only read.
struct Half {
  std::uint16_t bits = 0;
  explicit operator float() const { return half_to_float(bits); }
};

template <class From, class To>
To convert_one(const From& value) {
  if constexpr (std::is_same_v<From, double> && std::is_same_v<To, bfloat16>) {
    return bfloat16(static_cast<float>(value));
  } else if constexpr (std::is_same_v<From, Half> || std::is_same_v<From, bfloat16>) {
    return static_cast<To>(static_cast<float>(value));
  } else {
    return static_cast<To>(value);
  }
}

template <class From, class To>
void convert_all(std::span<const std::byte> source, std::span<std::byte> destination) {
  const std::size_t count = source.size() / sizeof(From);
  for (std::size_t i = 0; i < count; ++i) {
    From from;
    std::memcpy(&from, source.data() + i * sizeof(From), sizeof(From));
    const To to = convert_one<From, To>(from);
    std::memcpy(destination.data() + i * sizeof(To), &to, sizeof(To));
  }
}

template <class From>
void convert_floating(std::span<const std::byte> source, std::span<std::byte> destination, DType to) {
  if (to == DType::f32) return convert_all<From, float>(source, destination);
  if (to == DType::bf16) return convert_all<From, bfloat16>(source, destination);
  convert_all<From, double>(source, destination);
}

/// Moves element (o, p, i) of [O, P, I] to (o, i, p), P being the H W pixels.
void swap_inner(std::span<const std::byte> source, std::int64_t outer, std::int64_t rows, std::int64_t columns,
                std::size_t element, std::span<std::byte> destination) {
  std::size_t from = 0;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c, from += element) {
        const auto to = static_cast<std::size_t>((o * columns + c) * rows + r) * element;
        std::memcpy(destination.data() + to, source.data() + from, element);
      }
    }
  }
}

}  // namespace

float half_to_float(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1fu;
  const std::uint32_t fraction = bits & 0x3ffu;
  if (exponent == 0) {
    const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide_exponent = exponent == 31 ? 255 : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (wide_exponent << 23) | (fraction << 13));
}

bool can_convert(DType from, DType to) {
  if (from == to) return true;
  if (from == DType::i32 && to == DType::i64) return true;
  return is_floating(from) && (to == DType::f32 || to == DType::bf16 || to == DType::f64);
}

void convert_elements(std::span<const std::byte> source, DType from, std::span<std::byte> destination, DType to) {
  check(can_convert(from, to), "[convert_elements] {} to {} is no conversion of values", name_of(from), name_of(to));
  check(source.size() / size_of(from) == destination.size() / size_of(to), "[convert_elements] {} and {} elements",
        source.size() / size_of(from), destination.size() / size_of(to));
  if (source.empty()) return;
  if (from == to) {
    std::memcpy(destination.data(), source.data(), source.size());
    return;
  }
  switch (from) {
    case DType::f16:
      return convert_floating<Half>(source, destination, to);
    case DType::bf16:
      return convert_floating<bfloat16>(source, destination, to);
    case DType::f32:
      return convert_floating<float>(source, destination, to);
    case DType::f64:
      return convert_floating<double>(source, destination, to);
    default:
      return convert_all<std::int32_t, std::int64_t>(source, destination);
  }
}

void ohwi_to_oihw(std::span<const std::byte> source, const Shape& ohwi, std::size_t element,
                  std::span<std::byte> destination) {
  swap_inner(source, ohwi[0], ohwi[1] * ohwi[2], ohwi[3], element, destination);
}

void oihw_to_ohwi(std::span<const std::byte> source, const Shape& ohwi, std::size_t element,
                  std::span<std::byte> destination) {
  swap_inner(source, ohwi[0], ohwi[3], ohwi[1] * ohwi[2], element, destination);
}

}  // namespace graft
