#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/base/dtype.h"
#include "engine/base/shape.h"

namespace graft {

/// The value of an IEEE binary16 given as its bits.
float half_to_float(std::uint16_t bits);

/// True iff convert_elements can: any floating dtype to f32, bf16 or f64, i32 to i64, and every dtype to itself.
bool can_convert(DType from, DType to);

/// Converts host elements; rounds to nearest even where `to` is narrower. The spans hold equally many elements and the
/// bytes of `source` may stand at any address. Throws Error unless can_convert.
void convert_elements(std::span<const std::byte> source, DType from, std::span<std::byte> destination, DType to);

/// Host elements of [O, H, W, I], `element` bytes each, in the order of [O, I, H, W].
void ohwi_to_oihw(std::span<const std::byte> source, const Shape& ohwi, std::size_t element,
                  std::span<std::byte> destination);
/// Host elements of [O, I, H, W] in the order of [O, H, W, I], whose shape is given.
void oihw_to_ohwi(std::span<const std::byte> source, const Shape& ohwi, std::size_t element,
                  std::span<std::byte> destination);

}  // namespace graft
